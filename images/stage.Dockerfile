# Built by docker's own BuildKit; no other frontend is fetched.
# Down to "END OF SHARED" every Dockerfile here has the same text, so that these stages are built
# once, and their layers are the same in every image; tests/ci compares the texts.
ARG BASE=python:3.11-slim-bookworm

# The base image, without what a running stage has no use for.
FROM ${BASE} AS trimmed
COPY images/trim.py /tmp/
RUN python3 -I /tmp/trim.py

FROM scratch AS runtime
COPY --from=trimmed / /
ENV PATH=/opt/venv/bin:/usr/local/bin:/usr/bin:/bin LANG=C.UTF-8 HOME=/tmp \
    SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt \
    PYTHONPATH=/app PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 ORT_DISABLE_TELEMETRY=1
WORKDIR /app

# What each image asks for. A change of code ends here: what is left of it is the same.
FROM ${BASE} AS members
WORKDIR /members
COPY components components
COPY gate gate
COPY serving serving
RUN find . -type f ! -name pyproject.toml -delete

# Every library of every image, once, as the lock says. An index or a certificate of the builder's
# network is used in this stage and stays in it.
FROM ${BASE} AS libraries
ARG PIP_INDEX_URL
ARG UV_DEFAULT_INDEX
ENV SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt PIP_CERT=/etc/ssl/certs/ca-certificates.crt \
    UV_LINK_MODE=copy
WORKDIR /build
COPY ci/install_uv.sh ci/
RUN --mount=type=cache,target=/root/.cache \
    --mount=type=secret,id=certificates,target=/etc/ssl/certs/ca-certificates.crt \
    PYTHON=python3 sh ci/install_uv.sh
COPY images/*.py images/
COPY pyproject.toml uv.lock ./
COPY --from=members /members ./
RUN --mount=type=cache,target=/root/.cache \
    --mount=type=secret,id=certificates,target=/etc/ssl/certs/ca-certificates.crt \
    python3 -m images.libraries .tools/uv/bin/uv

# Our own code, compiled.
FROM runtime AS source
COPY modelwarrant modelwarrant
COPY components components
COPY gate gate
COPY serving serving
COPY images/trim.py /tmp/
RUN ["python", "/tmp/trim.py", "/app"]

# END OF SHARED
FROM runtime
ARG STAGE
COPY --from=libraries /images/${STAGE}/1/ /
COPY --from=libraries /images/${STAGE}/2/ /
COPY --from=libraries /images/${STAGE}/3/ /
COPY --from=libraries /images/${STAGE}/4/ /
COPY --from=libraries /images/${STAGE}/5/ /
COPY --from=libraries /images/${STAGE}/6/ /
COPY --from=libraries /images/${STAGE}/7/ /
COPY --from=libraries /images/${STAGE}/8/ /
COPY --from=libraries /images/${STAGE}/9/ /
COPY --from=source /app/modelwarrant modelwarrant
COPY --from=source /app/gate gate
COPY --from=source /app/components/__init__.py components/
COPY --from=source /app/components/${STAGE} components/${STAGE}
USER 65532:65532
ARG REVISION=unknown
ARG VERSION=unknown
LABEL org.opencontainers.image.title="modelwarrant stage ${STAGE}" \
      org.opencontainers.image.source="https://github.com/modelwarrant/modelwarrant" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.licenses="Apache-2.0"
