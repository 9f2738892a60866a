# The command alone, as a static binary: docker build -t agentsync .
FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 go build -trimpath -ldflags "-s -w" -o /agentsync ./cmd/agentsync

FROM scratch
ARG VERSION=dev
ARG REVISION=unknown
LABEL org.opencontainers.image.title="agentsync" \
      org.opencontainers.image.description="Keeps the configuration of AI voice agents in Git" \
      org.opencontainers.image.url="https://agentsync.dev" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /agentsync /agentsync
# Mount the repository here. Nothing runs as root; to keep the state in the mounted folder, run as its owner (--user).
WORKDIR /repo
USER 65532:65532
ENTRYPOINT ["/agentsync"]
