# One image for director, coordinator, meters and gateway; which of them it is, its command says (see compose.yaml).
# Classic syntax throughout: it builds with and without BuildKit.
FROM python:3.12-slim

ENV PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_ROOT_USER_ACTION=ignore

WORKDIR /build

# The dependencies have a layer of their own, which a change of the code does not touch.
COPY pyproject.toml ./
RUN python -c "import tomllib; print(*tomllib.load(open('pyproject.toml', 'rb'))['project']['dependencies'], sep='\n')" \
      > requirements.txt \
 && pip install -r requirements.txt

COPY . .
RUN pip install --no-deps . && rm -rf /build/*

# A number needs no entry in /etc/passwd. Nothing is written outside /tmp, so the root may be read-only.
USER 10001:10001
WORKDIR /tmp
ENV HOME=/tmp \
    GRIDGLOW_HEARTBEAT=/tmp/gridglow.alive

# Each process touches that file every two seconds while it is connected and knows the time.
HEALTHCHECK --interval=5s --timeout=3s --start-period=20s --retries=3 \
    CMD ["sh", "-c", "test $(( $(date +%s) - $(stat -c %Y $GRIDGLOW_HEARTBEAT) )) -lt 10"]

STOPSIGNAL SIGTERM
CMD ["gridglow", "--help"]
