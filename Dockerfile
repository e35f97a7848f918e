# One image for web, worker and beat. docker-compose.yml sets the command of each.
FROM python:3.12-slim

ENV PYTHONUNBUFFERED=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    VAR_DIR=/var/lib/dinmo \
    SOURCE_FILES_ROOT=/data

RUN useradd --system --uid 10001 --create-home dinmo \
    && install --directory --owner=dinmo --group=dinmo /var/lib/dinmo /data

WORKDIR /app
COPY requirements.txt .
RUN pip install -r requirements.txt
COPY . .
RUN python -m compileall -q .

USER dinmo
EXPOSE 8000
# The application serves static files directly from its packages, so collectstatic is not needed.
CMD ["gunicorn", "dinmo.wsgi", "--config", "python:dinmo.local.web_server", "--bind", "0.0.0.0:8000", \
     "--workers", "2", "--threads", "8", \
     "--worker-tmp-dir", "/dev/shm", "--no-control-socket"]
