# docker build -t irislib .                                docker run -p 5000:5000 irislib
# docker build --target endpoint -t irislib-endpoint .     docker run -p 5000:5000 irislib-endpoint
# Words after the image's name are irislib's own: docker run -p 5000:5000 irislib api --workers 4. See docs/container.md.
ARG BASE_IMAGE=python:3.13-slim

# The packages, which a change of irislib's own source does not install again; without pip, and without the tests of libraries.
FROM ${BASE_IMAGE} AS endpoint-packages
ARG extras=limits
ENV PIP_NO_CACHE_DIR=1 PIP_CONSTRAINT=/src/constraints.txt
WORKDIR /src
COPY constraints.txt pyproject.toml ./
COPY deploy/endpoint.txt deploy/requirements.py deploy/
RUN python3 -m venv --without-pip /opt/irislib \
    && python3 deploy/requirements.py "${extras}" > /tmp/extras.txt \
    && pip --python /opt/irislib install --requirement deploy/endpoint.txt --requirement /tmp/extras.txt \
    && find /opt/irislib -depth -type d -name tests -exec rm -r {} +

FROM endpoint-packages AS app-packages
RUN python3 deploy/requirements.py > /tmp/all.txt \
    && pip --python /opt/irislib install --requirement /tmp/all.txt \
    && pip --python /opt/irislib check \
    && find /opt/irislib -depth -type d -name tests -exec rm -r {} +

# irislib's own files, for both images.
FROM endpoint-packages AS own
COPY . ./
RUN pip --python /opt/irislib install --no-deps --root /own .

FROM ${BASE_IMAGE} AS runtime
ARG port=5000
ARG version=
ARG revision=
LABEL org.opencontainers.image.title="irislib" \
      org.opencontainers.image.description="An app, an endpoint and a library from one description of a scikit-learn model" \
      org.opencontainers.image.licenses="BSD-3-Clause" \
      org.opencontainers.image.version="${version}" \
      org.opencontainers.image.revision="${revision}"
# All that is written goes to /tmp and to the store, so that the root file system can be read-only.
ENV PATH=/opt/irislib/bin:${PATH} HOME=/tmp PYTHONUNBUFFERED=1 IRISLIB_HOST=0.0.0.0 IRISLIB_PORT=${port} \
    IRISLIB_HEALTH_FILE=/tmp/irislib-health IRISLIB_STORE=/var/lib/irislib
RUN useradd --uid 1000 --home-dir /home/irislib --create-home irislib && install -d -o irislib -g irislib /var/lib/irislib
USER 1000
WORKDIR /home/irislib
VOLUME /var/lib/irislib
EXPOSE ${port}
# Healthy once every model is there: a training may take as long as the start period, and ends it.
HEALTHCHECK --interval=30s --timeout=10s --start-period=10m CMD ["python3", "-m", "irislib.healthcheck"]
ENTRYPOINT ["irislib"]

FROM runtime AS endpoint
COPY --from=endpoint-packages /opt/irislib /opt/irislib
COPY --from=own /own/opt/irislib /opt/irislib
CMD ["api"]

FROM runtime AS app
COPY --from=app-packages /opt/irislib /opt/irislib
COPY --from=own /own/opt/irislib /opt/irislib
CMD ["serve"]
