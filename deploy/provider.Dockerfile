# The provider service in one image: a static binary and certificate authorities, no shell. From the
# repository's root:
#
#   make kolibri && docker build -f deploy/provider.Dockerfile -t kolibri-provider .
#
# /data keeps the providers, sealed with KOLIBRI_PROVIDER_KEY; /tmp may be a tmpfs.
FROM debian:12-slim AS base
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates=* \
    && rm -rf /var/lib/apt/lists/* \
    && mkdir -p /image/data /image/tmp /image/etc/ssl/certs \
    && cp /etc/ssl/certs/ca-certificates.crt /image/etc/ssl/certs/ \
    && echo 'kolibri:x:10001:10001::/data:' > /image/etc/passwd \
    && echo 'kolibri:x:10001:' > /image/etc/group \
    && chmod 1777 /image/tmp \
    && chown -R 10001:10001 /image/data

FROM scratch
COPY --from=base /image/ /
COPY bin/kolibri /kolibri
USER 10001:10001
ENV HOME=/data KOLIBRI_HOME=/data KOLIBRI_PROVIDER_LISTEN=:8095
VOLUME /data
EXPOSE 8095
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=10s --retries=3 CMD ["/kolibri", "provider", "ready"]
ENTRYPOINT ["/kolibri", "provider"]
CMD ["--log-format", "json"]
