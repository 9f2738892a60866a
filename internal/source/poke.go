package source

// pokes is who waits to be poked: any number of pokes while somebody is busy are one.
type pokes chan struct{}

func newPokes() pokes { return make(pokes, 1) }

func (p pokes) poke() {
	select {
	case p <- struct{}{}:
	default:
	}
}
