# The server of detection on CPUs. From the checkout:
#     docker build --tag actionformer .
#     docker run --publish 8000:8000 --volume "$PWD/runs/mine:/model:ro" --env ACTIONFORMER_TOKEN=secret actionformer
FROM python:3.11-slim
WORKDIR /app
COPY pyproject.toml README.md LICENSE constraints.txt ./
COPY src ./src
RUN pip install --no-cache-dir --constraint constraints.txt --extra-index-url https://download.pytorch.org/whl/cpu torch
RUN pip install --no-cache-dir --constraint constraints.txt ".[features,hdf5,serve]"
USER 65534:65534
ENV HOME=/tmp
EXPOSE 8000
HEALTHCHECK CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/readyz')"]
ENTRYPOINT ["actionformer", "serve", "/model", "--host", "0.0.0.0", "--port", "8000"]
