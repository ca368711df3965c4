# SPDX-License-Identifier: Apache-2.0
# One image for every process of the product; the command says which. It holds no data and no secret.
FROM python:3.11-slim-bookworm AS build
WORKDIR /app
COPY requirements.lock ./
RUN python -m venv /app/.venv \
    && /app/.venv/bin/pip install --no-cache-dir --require-hashes --only-binary :all: -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY archive archive
COPY cases cases
COPY documents documents
COPY indexer indexer
COPY licenses licenses
COPY portal portal
COPY seals seals
COPY storage storage
COPY scripts/minio-roles.py scripts/minio-roles.py
RUN /app/.venv/bin/pip install --no-cache-dir --no-deps --no-build-isolation -e .

FROM python:3.11-slim-bookworm
RUN apt-get update \
    && apt-get install -y --no-install-recommends bubblewrap fonts-noto-cjk libreoffice-calc-nogui \
        libreoffice-writer-nogui poppler-utils postgresql-client qpdf \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --gid 10001 cunzheng \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /data --shell /usr/sbin/nologin cunzheng \
    && install -d -m 0700 -o cunzheng -g cunzheng /data /data/keys /data/pki /backups
COPY --from=build /app /app
ENV PATH=/app/.venv/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 LANG=C.UTF-8 \
    CUNZHENG_DATA=/data CUNZHENG_HOST=0.0.0.0
WORKDIR /app
USER 10001:10001
VOLUME /data
EXPOSE 8321
ENTRYPOINT ["cunzheng"]
CMD ["serve"]
