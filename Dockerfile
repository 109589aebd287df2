# Neither the language model nor a corpus is in this image: docker-compose.yml installs them into a volume, on the
# operator's account. docs/operating.md says why.
ARG PYTHON=3.11-slim

FROM python:${PYTHON} AS build
# PyTorch's own wheels for the CPU; without this index pip takes those with gigabytes of GPU libraries.
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
ENV PATH=/opt/loccit/bin:$PATH
WORKDIR /source
RUN python -m venv /opt/loccit
COPY pyproject.toml constraints.txt ./
# Alone from its index, which does not carry every release of what torch needs; that comes with the next line.
RUN pip install --no-deps -c constraints.txt --index-url "${TORCH_INDEX}" torch
RUN python -c "import tomllib; p = tomllib.load(open('pyproject.toml', 'rb'))['project']; print(*(d for d in p['dependencies'] + p['optional-dependencies']['documents']), sep='\n')" > requirements.txt \
    && pip install -c constraints.txt -r requirements.txt
COPY README.md LICENSE NOTICE ./
COPY common/ common/
COPY retriever/ retriever/
COPY extraction/ extraction/
COPY index_builder/ index_builder/
COPY quote_check/ quote_check/
COPY app/ app/
COPY calibration/ calibration/
COPY evaluation/ evaluation/
COPY training/ training/
RUN pip install --no-deps .
# At the end of the path, so that nothing in the volume can take the place of a module of the image.
RUN echo /models > "$(python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/models.pth"

FROM python:${PYTHON}
# New volumes take their owner from these folders.
RUN groupadd --gid 10001 loccit \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin loccit \
    && install -d -o loccit -g loccit /models /indexes/vital-articles /indexes/documents /keys
COPY --from=build /opt/loccit /opt/loccit
COPY container/models.py /opt/loccit/models.py
COPY LICENSE NOTICE /usr/share/doc/loccit/
ENV PATH=/opt/loccit/bin:$PATH \
    XDG_CACHE_HOME=/models/cache \
    LOCCIT_INDEX=/indexes/vital-articles \
    PYTHONUNBUFFERED=1
USER 10001:10001
WORKDIR /tmp
EXPOSE 8000
STOPSIGNAL SIGTERM
# Ready, not live: once ready it stays so, and whoever waits for a healthy container wants answers. Until then the
# start period keeps loading models from counting as ill.
HEALTHCHECK --interval=30s --timeout=10s --start-period=300s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/health/ready', timeout=8)"]
ENTRYPOINT ["loccit"]
CMD ["serve", "--host", "0.0.0.0", "--port", "8000"]
