# The batch: everything that a run needs, and no setting of any house. docker-compose.yml shows how
# to run it.
FROM python:3.12-slim AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv --without-pip /opt/venv
COPY requirements.lock /
# the second command removes 48 MB that no run needs
RUN pip --python /opt/venv/bin/python install --no-deps --require-hashes --quiet \
      -r /requirements.lock \
 && cd /opt/venv/lib/python3.12/site-packages \
 && rm -rf pulp/solverdir pyarrow/include pyarrow/tests
WORKDIR /app
COPY . .
# Bytecode, here and below: no user of the container could keep it, and without it each run takes
# half a minute more.
# Any user may be given to the container: .snakemake is open to all.
RUN pip --python /opt/venv/bin/python install --no-deps --editable . \
 && /opt/venv/bin/python -m compileall -q scripts \
 && chmod -R a+rX,go-w . \
 && mkdir -m 1777 .snakemake

FROM python:3.12-slim
RUN python -m compileall -q -x '/(tests?|site-packages)/' \
      "$(python -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')"
COPY --from=build /opt/venv /opt/venv
COPY --from=build /app /app
ENV PATH=/opt/venv/bin:$PATH HOME=/tmp USER=batch \
    DBT_TARGET_PATH=/tmp/dbt/target DBT_LOG_PATH=/tmp/dbt/logs
WORKDIR /app
USER 1000:1000
CMD ["python", "-m", "homeiot_batch.run_archive"]
