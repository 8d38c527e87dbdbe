FROM python:3.11-slim

WORKDIR /app
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY pathway pathway
COPY fhir_adapters fhir_adapters
COPY schedules schedules
COPY service service
RUN pip install --no-cache-dir -c constraints.txt '.[postgres]'

RUN useradd --system calcinosis-pathway
USER calcinosis-pathway
EXPOSE 8000
CMD ["calcinosis-pathway", "serve", "--host", "0.0.0.0", "--port", "8000"]
