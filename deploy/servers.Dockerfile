# The servers of compose.yaml: Azurite and the Cosmos server, which the tests also run.
FROM node:20-bookworm-slim
WORKDIR /opt/servers
COPY mfcc_assets_tests/services/package.json mfcc_assets_tests/services/package-lock.json \
    mfcc_assets_tests/services/cosmos_server.js ./
RUN npm ci --omit=optional --no-audit --no-fund \
    && mkdir /data \
    && chown 1000:1000 /data
USER 1000
