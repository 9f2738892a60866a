package sandbox

// The fields of a Nova agent, after the page "Update agent" (docs.cozmox.ai) and the types and required marks of the vendor's
// generated SDKs. Ranges are not documented there and not enforced. Checked 2026-11-21.

// novaFields are the fields of an update.
func novaFields() map[string]field {
	texts := field{kind: kindArray, items: &field{kind: kindText}}
	return map[string]field{
		"name":                 {kind: kindText, filled: true},
		"type":                 {kind: kindText, enum: []string{"voice", "chat", "video"}},
		"prompt_template":      {kind: kindText},
		"default_functions":    texts,
		"plugins":              {kind: kindArray, items: &field{kind: kindAny}},
		"greeting_config":      novaGreeting(),
		"goodbye_config":       kinds(kindBoolean, "enabled", kindText, "message"),
		"extra_config":         novaExtra(),
		"room_duration_config": novaRoom(),
		"vad_config": kinds(kindInteger, "max_buffered_speech", kindInteger, "sample_rate", kindNumber, "activation_threshold",
			kindNumber, "min_silence_duration", kindNumber, "min_speech_duration", kindNumber, "prefix_padding_duration"),
		"llm_config":         novaLLM(),
		"voice_config":       novaVoice(),
		"transcriber_config": novaTranscriber(),
		"background_sound":   novaSound(),
		"precall_webhook":    novaWebhook(),
	}
}

// novaReadOnly are the fields of an answer that no request may have.
func novaReadOnly() []string {
	return []string{"id", "organization_id", "created_at", "updated_at", "public_quota", "tools", "allowed_sip_trunks"}
}

// novaConfigs are the fields documented as integer[] in answers.
func novaConfigs() []string {
	return []string{"background_sound", "extra_config", "goodbye_config", "greeting_config", "llm_config", "plugins", "precall_webhook",
		"room_duration_config", "transcriber_config", "vad_config", "voice_config"}
}

// kinds makes an object of optional fields from pairs of a kind and a name.
func kinds(pairs ...string) field {
	o := field{kind: kindObject, fields: map[string]field{}}
	for i := 0; i+1 < len(pairs); i += 2 {
		o.fields[pairs[i+1]] = field{kind: pairs[i]}
	}
	return o
}

// with adds to an object's fields.
func (f field) with(name string, sub field) field {
	f.fields[name] = sub
	return f
}

func novaGreeting() field {
	return kinds(kindBoolean, "agent_speaks_first", kindText, "greeting", kindInteger, "pause_before_first_message",
		kindText, "voice_mail_message", kindBoolean, "welcome_message_is_generated")
}

func novaExtra() field {
	return kinds(kindBoolean, "allow_interruptions", kindNumber, "interruption_sensitivity", kindInteger, "min_words",
		kindBoolean, "turn_detector_enabled", kindBoolean, "turn_detector_is_multilingual", kindText, "turn_detector_model_type",
		kindText, "use_gender_plugin")
}

func novaRoom() field {
	return kinds(kindText, "close_room_message", kindText, "duration_warning_message", kindText, "silence_message",
		kindInteger, "max_duration_min", kindInteger, "max_silence_sec", kindInteger, "wait_for_message_sec")
}

func novaLLM() field {
	return kinds(kindNumber, "temperature", kindNumber, "top_p", kindInteger, "max_tokens", kindNumber, "frequency_penalty",
		kindNumber, "presence_penalty", kindInteger, "top_k", kindBoolean, "parallel_tool_calls", kindText, "system_prompt").
		with("provider", field{kind: kindText, required: true, enum: []string{"openai", "anthropic"}}).
		with("model", field{kind: kindText, required: true})
}

func novaVoice() field {
	return kinds(kindText, "voice_id", kindText, "language", kindInteger, "sample_rate", kindNumber, "speed",
		kindNumber, "similarity_boost", kindNumber, "stability", kindNumber, "style", kindBoolean, "use_speaker_boost").
		with("provider", field{kind: kindText, required: true}).
		with("model", field{kind: kindText, required: true})
}

func novaTranscriber() field {
	f := kinds(kindText, "model", kindText, "language", kindText, "language_code")
	for _, name := range []string{"sample_rate", "num_channels", "endpointing", "endpointing_ms", "eot_timeout_ms", "min_speech_duration_ms"} {
		f.fields[name] = field{kind: kindInteger}
	}
	for _, name := range []string{"eot_threshold", "eager_eot_threshold", "preemptive_min_confidence"} {
		f.fields[name] = field{kind: kindNumber}
	}
	for _, name := range []string{
		"detect_language", "enable_logging", "energy_filter", "filler_words", "include_language_detection", "include_timestamps",
		"interim_results", "no_delay", "preemptive_generation", "profanity_filter", "punctuate", "smart_format", "vad_events",
	} {
		f.fields[name] = field{kind: kindBoolean}
	}
	for _, name := range []string{"keywords", "keyterms"} {
		f.fields[name] = field{kind: kindArray, items: &field{kind: kindText}}
	}
	return f.with("provider", field{kind: kindText, required: true, enum: []string{"deepgram", "elevenlabs", "speechmatics"}}).
		with("commit_strategy", field{kind: kindText, enum: []string{"manual", "vad"}})
}

func novaSound() field {
	thinking := kinds(kindNumber, "probability", kindNumber, "volume").with("sound", field{kind: kindText, required: true})
	return kinds(kindBoolean, "enabled", kindNumber, "volume", kindNumber, "initial_volume").
		with("file", field{kind: kindText, required: true}).
		with("thinking_sound", field{kind: kindArray, items: &thinking})
}

func novaWebhook() field {
	return kinds(kindObject, "body_template", kindInteger, "timeout_seconds").
		with("url", field{kind: kindText, required: true, filled: true}).
		with("method", field{kind: kindText, required: true, enum: []string{"GET", "POST", "PUT", "PATCH"}}).
		with("headers", field{kind: kindObject, values: &field{kind: kindText}})
}

// novaDefaults are a new agent's. The vendor's are not documented; these are plausible ones.
func (s *Server) novaDefaults() map[string]any {
	agent := map[string]any{
		"organization_id": NovaOrg, "name": "Agent", "type": "voice", "prompt_template": "", "public_quota": 0.0,
		"default_functions": []any{}, "allowed_sip_trunks": []any{}, "tools": []any{},
	}
	for _, name := range novaConfigs() {
		agent[name] = nil
	}
	if s.opts.Quirks.Nova.EmptyCreate {
		return agent
	}
	agent["plugins"] = []any{}
	agent["greeting_config"] = map[string]any{"agent_speaks_first": true, "greeting": "", "pause_before_first_message": 0.0,
		"voice_mail_message": "", "welcome_message_is_generated": false}
	agent["goodbye_config"] = map[string]any{"enabled": false, "message": ""}
	agent["extra_config"] = map[string]any{"allow_interruptions": true, "interruption_sensitivity": 0.5, "min_words": 0.0,
		"turn_detector_enabled": true, "turn_detector_is_multilingual": false, "turn_detector_model_type": "", "use_gender_plugin": "none"}
	agent["room_duration_config"] = map[string]any{"close_room_message": "", "duration_warning_message": "", "silence_message": "",
		"max_duration_min": 30.0, "max_silence_sec": 30.0, "wait_for_message_sec": 10.0}
	agent["vad_config"] = map[string]any{"activation_threshold": 0.5, "max_buffered_speech": 60.0, "min_silence_duration": 0.5,
		"min_speech_duration": 0.05, "prefix_padding_duration": 0.5, "sample_rate": 16000.0}
	agent["llm_config"] = map[string]any{"provider": "openai", "model": "gpt-4o-mini", "temperature": 0.7}
	agent["voice_config"] = map[string]any{"provider": "elevenlabs", "model": "eleven_turbo_v2_5", "language": "en"}
	agent["transcriber_config"] = map[string]any{"provider": "deepgram", "model": "nova-2", "language": "en"}
	return agent
}
