# make run · make test · make lint · make bench     Each first installs what it needs (deploy/setup.sh).
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON_BIN := .venv/bin/python
CHECKED := dermascan patients diagnosis mlmodel tests benchmarks research
FORMATTED := $(CHECKED) deploy manage.py
# Placeholder values with which the production settings load, so that Django can check them.
THROWAWAY := DJANGO_SETTINGS_MODULE=dermascan.settings.production DERMASCAN_HOSTS=clinic.example \
	DERMASCAN_SITE_URL=https://clinic.example EMAIL_URL=smtp+tls://mail.clinic.example:587 \
	DERMASCAN_FROM_EMAIL=dermascan@clinic.example DERMASCAN_OPERATOR_EMAIL=it@clinic.example \
	DERMASCAN_SECRET_KEY=throwaway-$(shell head -c 40 /dev/urandom | sha256sum | cut -c1-50)

.PHONY: help run dev test test-services lint format bench lock

help:
	@echo 'make run            serve DermaScan on http://127.0.0.1:8000 (PORT=8001 make run for another port)'
	@echo 'make dev            the same for development: restarts on changes, debug toolbar, no workers'
	@echo 'make test           all tests, including those in Chromium'
	@echo 'make test-services  the tests on temporary PostgreSQL and Redis servers'
	@echo 'make lint           ruff, djLint, Biome, mypy, import-linter, Django'"'"'s own checks'
	@echo 'make format         format code and templates'
	@echo 'make bench          the benchmarks'
	@echo 'make lock           resolve the pinned versions again (UPGRADE=1 for the newest)'

run:
	@deploy/setup.sh serve
	@$(PYTHON_BIN) deploy/run.py || case $$? in 130|143) ;; *) exit 1 ;; esac # Ctrl-C and SIGTERM are normal ends

dev: export DJANGO_SETTINGS_MODULE = dermascan.settings.development
dev:
	@deploy/setup.sh test
	@$(PYTHON_BIN) deploy/run.py --reload || case $$? in 130|143) ;; *) exit 1 ;; esac

# Otherwise each test process would compile every module again.
test test-services: export PYTHONDONTWRITEBYTECODE =

test:
	@deploy/setup.sh test
	$(PYTHON_BIN) -m pytest $(ARGS)

test-services:
	@deploy/setup.sh test
	@deploy/with_services.sh $(PYTHON_BIN) -m pytest -m "not browser" $(ARGS)

lint:
	@deploy/setup.sh test
	.venv/bin/ruff check $(FORMATTED)
	.venv/bin/ruff format --check $(FORMATTED)
	.venv/bin/djlint --quiet --check templates
	.venv/bin/djlint --quiet --lint templates
	@deploy/lint_static.sh
	.venv/bin/mypy $(CHECKED)
	.venv/bin/lint-imports
	$(PYTHON_BIN) manage.py makemigrations --check --dry-run
	$(THROWAWAY) $(PYTHON_BIN) manage.py check --deploy --fail-level WARNING

format:
	@deploy/setup.sh test
	.venv/bin/ruff check --fix $(FORMATTED)
	.venv/bin/ruff format $(FORMATTED)
	.venv/bin/djlint --quiet --reformat templates

bench:
	@deploy/setup.sh test
	$(PYTHON_BIN) -m benchmarks $(ARGS)

lock:
	@deploy/setup.sh test
	@deploy/lock.sh
