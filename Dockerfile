# The batch: everything that a run needs, and no setting of any house. docker-compose.yml shows how
# to run it.
FROM python:3.12-slim AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv --without-pip /opt/venv
COPY requirements.lock /
# the second command removes 113 MB that no run needs: solvers, headers, pyarrow's client of Flight,
# languages of packages, tests. Its client of S3 stays: `homeiot mirror` uses it
RUN pip --python /opt/venv/bin/python install --no-deps --require-hashes --quiet \
      -r /requirements.lock \
 && cd /opt/venv/lib/python3.12/site-packages \
 && rm -rf pulp/solverdir pyarrow/include pyarrow/tests networkx/*/tests networkx/*/*/tests \
      pyarrow/libarrow_flight.* pyarrow/libarrow_python_flight.* pyarrow/_flight.* \
      apprise/i18n/*/ \
 && find babel/locale-data -name '*.dat' ! -name 'en*.dat' ! -name root.dat -delete
WORKDIR /app
COPY . .
# Bytecode, here and below: no user of the container could keep it, and without it each run takes
# half a minute more.
# Any user may be given to the container: .snakemake is open to all. It and /tmp are all that a run
# writes to in the container. With a root file system that is read-only, mount something there.
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
# what the registry shows of an image that was published
ARG SOURCE= VERSION=unreleased REVISION=
LABEL org.opencontainers.image.title="HomeIoT batch" \
      org.opencontainers.image.description="Daily archive of a house's power readings" \
      org.opencontainers.image.licenses=MIT \
      org.opencontainers.image.source=$SOURCE \
      org.opencontainers.image.version=$VERSION \
      org.opencontainers.image.revision=$REVISION
WORKDIR /app
USER 1000:1000
CMD ["python", "-m", "homeiot_batch.run_archive"]
