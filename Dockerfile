# docker build -t irislib .            docker run -p 5000:5000 irislib
# Words after the image's name are irislib's own: irislib api --workers 4
ARG BASE_IMAGE=python:3.13-slim
FROM ${BASE_IMAGE}
ARG port=5000
ENV IRISLIB_HOST=0.0.0.0 IRISLIB_PORT=${port} IRISLIB_HEALTH_FILE=/tmp/irislib-health PYTHONUNBUFFERED=1

COPY . /src
RUN pip install --no-cache-dir --constraint /src/constraints.txt "/src[limits]" && rm -rf /src \
    && useradd --create-home --uid 1000 irislib

USER irislib
WORKDIR /home/irislib
EXPOSE ${port}
# Healthy once every model is there: a training may take as long as the start period, and ends it.
HEALTHCHECK --interval=30s --timeout=10s --start-period=10m CMD ["python3", "-m", "irislib.healthcheck"]
ENTRYPOINT ["irislib"]
