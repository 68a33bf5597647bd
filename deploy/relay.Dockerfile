# Relay and headless Chromium in one image. Build in the repository's root, after `make`:
#   docker build -f deploy/relay.Dockerfile -t kolibri-relay .
FROM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 go build -trimpath -ldflags "-s -w" -o /kolibri ./cmd/kolibri

FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends chromium curl python3-minimal python3 \
	&& rm -rf /var/lib/apt/lists/* && useradd --create-home kolibri
COPY --from=build /kolibri /usr/local/bin/kolibri
COPY deploy/headless.sh /usr/local/bin/headless
COPY build /app
ENV LISTEN=0.0.0.0:8090 BUILD=/app PROFILE=/data/profile KOLIBRI_HOME=/data/home
RUN mkdir /data && chown kolibri /data
USER kolibri
VOLUME /data
EXPOSE 8090
ENTRYPOINT ["headless"]
