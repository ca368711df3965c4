# SPDX-License-Identifier: Apache-2.0
"""Every setting of the product, in one frozen model; each is an environment variable ``CUNZHENG_<NAME>``.

Nothing else in the product reads the environment, except ``storage.failpoints`` in tests. Settings that
contradict each other or that are unsafe in production are refused here, before anything starts.
"""

import datetime as dt
import enum
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import Field, IPvAnyNetwork, SecretStr, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SecretsSettingsSource,
    SettingsConfigDict,
)

from portal.citizens.settings import SignInSettings, may_vouch

SECRETS = Path("/run/secrets")
"""Where containers find secrets: files named like the variables, in lower case."""


class Environment(enum.StrEnum):
    """How far the installation may be trusted."""

    DEMO = "demo"
    DEVELOPMENT = "development"
    PRODUCTION = "production"


_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "localhost", "[::]": "localhost"}  # noqa: S104 - compared, not bound


def _local_address(host: str, port: int) -> str:
    return f"http://{_EVERYWHERE.get(host, host)}:{port}"


class Settings(SignInSettings):
    """The settings of one installation.

    Raises:
        pydantic.ValidationError: if a value is malformed or unsafe for the environment.
    """

    model_config = SettingsConfigDict(
        env_prefix="CUNZHENG_", frozen=True, extra="ignore", validate_default=True
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the library passes all four
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take arguments first, then the environment, then the secrets of a container."""
        files = (SecretsSettingsSource(settings_cls, secrets_dir=SECRETS),) if SECRETS.is_dir() else ()
        return (init_settings, env_settings, *files)

    data: Path = Field(
        default=Path("demo-data"),
        description="Folder that holds everything: database, index, objects, keys, staging, logs.",
    )
    database: SecretStr | None = Field(
        default=None,
        description="Address of a PostgreSQL database, postgresql+psycopg://user:password@host/name, for the "
        "web and worker processes; none: a SQLite file in the data folder.",
    )
    sequencer_database: SecretStr | None = Field(
        default=None, description="The same database for the sequencer, whose role alone writes the ledger."
    )
    owner_database: SecretStr | None = Field(
        default=None,
        description="The same database for `init`, `backup` and `restore`: the role that owns the tables.",
    )
    s3_endpoint: str | None = Field(
        default=None,
        pattern=r"^https?://[^/?#@\s]+$",
        description="Address of an S3 server, http(s)://host[:port]; none: objects lie in the data folder.",
    )
    s3_bucket: str = Field(
        default="cunzheng",
        pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$",
        description="Bucket of the objects; `init` makes it, with versions and locks, when it is missing.",
    )
    s3_region: str = Field(default="us-east-1", description="Region that the S3 server calls its own.")
    s3_access_key: str | None = Field(
        default=None, description="Our key to the S3 server: may read, put and lock, not delete or bypass."
    )
    s3_secret_key: SecretStr | None = Field(default=None, description="The secret of that key.")
    s3_destroyer_access_key: str | None = Field(
        default=None,
        description="For `objects sweep` alone, kept offline between its runs: the key that may remove "
        "versions whose lock has ended or is GOVERNANCE. Lasting processes refuse to start with it.",
    )
    s3_destroyer_secret_key: SecretStr | None = Field(default=None, description="The secret of that key.")
    s3_hold_access_key: str | None = Field(
        default=None,
        description="For `hold` alone: the key that sets and lifts legal holds in the bucket; "
        "none: our own key.",
    )
    s3_hold_secret_key: SecretStr | None = Field(default=None, description="The secret of that key.")
    search_url: SecretStr | None = Field(
        default=None,
        description="Address of an Elasticsearch server, http(s)://[user:password@]host:port; none: a SQLite "
        "file in the data folder.",
    )
    search_index: str = Field(
        default="cunzheng",
        pattern=r"^[a-z][a-z0-9-]{0,80}$",
        description="Alias under which Elasticsearch holds the index; several installations share a server "
        "under different names.",
    )
    search_analyzer: str = Field(
        default="whitespace",
        pattern=r"^[A-Za-z0-9_.-]{1,80}$",
        description="Analyser of Elasticsearch that finds our tokens again: `whitespace` finds exactly them; "
        "`standard`, or `icu_analyzer` and `ik_max_word` with their plug-ins, find the same or less. After a "
        "change: `cunzheng index rebuild`.",
    )
    broker: SecretStr | None = Field(
        default=None,
        description="Address of a RabbitMQ virtual host, amqp://user:password@host/name, whose queues "
        "tell workers of new steps; none: workers look at the table of steps only.",
    )
    broker_prefix: str = Field(
        default="cunzheng",
        pattern=r"^[a-z][a-z0-9.-]{0,60}$",
        description="First part of the names of exchange and queues; "
        "installations that share a virtual host differ.",
    )
    environment: Environment = Field(
        default=Environment.DEMO,
        description="demo, development or production; production refuses every demonstration part.",
    )
    host: str = Field(default="127.0.0.1", description="Address that the web process listens on.")
    port: int = Field(default=8321, ge=1, le=65535, description="Port that the web process listens on.")
    metrics_port: int | None = Field(
        default=None,
        ge=1,
        le=65535,
        description="Port on which the web process serves figures to Prometheus; none: it serves none.",
    )
    metrics_host: str = Field(
        default="127.0.0.1",
        description="Address of that port, which asks nobody for a key: keep it on loopback or "
        "an inner network.",
    )
    public_url: str = Field(
        default_factory=lambda earlier: _local_address(earlier["host"], earlier["port"]),
        description="Address under which strangers reach the web process, printed into QR codes; "
        "without it, `http://` with host and port.",
    )
    threads: int = Field(default=8, ge=1, le=64, description="Threads of the web process.")
    one_processor: bool = Field(
        default=True,
        description="Keep each web process to one processor of its own, as long as there is one: its threads "
        "share one interpreter, and answer a third more so. Files from outside are opened on all.",
    )
    leave_seconds: float = Field(
        default=0,
        ge=0,
        le=300,
        description="Seconds that the web process serves on after SIGTERM while `/readyz` already sends "
        "callers elsewhere; longer than a load balancer takes to see it. 0: it ends at once.",
    )
    worker_threads: int = Field(
        default=2, ge=1, le=32, description="Steps that the worker process runs at the same time."
    )
    isolation_required: bool = Field(
        default=False,
        description="Open files from outside only in bubblewrap, without a network and without other files. "
        "Where that does not work, workers do not start and checks are refused.",
    )
    anchor_limit: int = Field(
        default=4 * 3600, ge=60, description="Seconds without a new anchor after which acts are refused."
    )
    sequencing_limit: int = Field(
        default=300,
        ge=5,
        description="Seconds that an act may wait for its ledger number before acts are refused.",
    )
    log_origin: str = Field(
        default="demo.cunzheng.invalid/log",
        pattern=r"^[^\s+]{1,120}$",
        description="Name of the ledger as it stands in checkpoints; fixed once it has entries.",
    )
    trust: tuple[Path, ...] = Field(
        default=(), description="Further certificates (PEM) of seal issuers that verification trusts."
    )
    operator_name: str = Field(
        default="存证演示中心", description="Name of the sponsor, shown in the footer of every page."
    )
    operator_contact: str = Field(
        default="演示环境，无联系电话",
        description="How to reach the operator, shown in the footer of every page.",
    )
    max_upload: int = Field(
        default=512 * 1024 * 1024, ge=1024, description="Largest request that intake accepts, in bytes."
    )
    max_verification: int = Field(
        default=64 * 1024 * 1024,
        ge=1024,
        description="Largest file that public verification accepts, in bytes.",
    )
    public_rate: int = Field(
        default=30,
        ge=1,
        description="Public verifications that one address may ask for per minute, and statements of a "
        "client that may meet no licence.",
    )
    reconcile_at: dt.time = Field(
        default=dt.time(2, 30),
        description="Time of the night, in Asia/Shanghai, at which the index is compared with the records.",
    )
    receiver_networks: tuple[IPvAnyNetwork, ...] = Field(
        default=(),
        description="Private networks in which subscribers' endpoints and other installations may lie, as a "
        "JSON list of CIDR networks; in production events are sent to public addresses only, and to these.",
    )
    session_hours: int = Field(default=10, ge=1, le=24, description="Hours after which a web session ends.")
    session_idle_minutes: int = Field(
        default=60, ge=5, le=24 * 60, description="Minutes without a request after which a web session ends."
    )
    sign_in_rate: int = Field(
        default=20, ge=1, description="Attempts to sign in that one address may make per minute."
    )
    proxies: int = Field(
        default=0,
        ge=0,
        le=5,
        description="Reverse proxies in front of the web process that add the caller's address to "
        "X-Forwarded-For; 0: the header is not believed. Limits per address need the right number.",
    )
    login_link_minutes: int = Field(
        default=60, ge=1, le=24 * 60, description="Minutes for which a login link can be used, once."
    )

    @field_validator("data")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        # Children run in other folders, and confined ones see other places.
        return value.absolute()

    @field_validator("public_url")
    @classmethod
    def _plain_address(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
            raise ValueError("must be http(s)://host[:port][/path] without query or fragment")
        return value.rstrip("/")

    @field_validator("database", "sequencer_database", "owner_database")
    @classmethod
    def _postgresql(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and urlsplit(value.get_secret_value()).scheme != "postgresql+psycopg":
            raise ValueError("must be postgresql+psycopg://user:password@host[:port]/name")
        return value

    @field_validator("search_url")
    @classmethod
    def _search_server(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            parts = urlsplit(value.get_secret_value())
            if parts.scheme not in {"http", "https"} or not parts.hostname or not parts.port:
                raise ValueError("must be http(s)://[user:password@]host:port")
        return value

    @field_validator("broker")
    @classmethod
    def _amqp(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and urlsplit(value.get_secret_value()).scheme not in {"amqp", "amqps"}:
            raise ValueError("must be amqp(s)://user:password@host[:port]/name")
        return value

    @model_validator(mode="after")
    def _known_to_the_object_server(self) -> "Settings":
        if self.s3_endpoint is not None and not (self.s3_access_key and self.s3_secret_key):
            raise ValueError("s3_endpoint needs s3_access_key and s3_secret_key")
        return self

    @model_validator(mode="after")
    def _safe_in_production(self) -> "Settings":
        if self.production and not self.public_url.startswith("https://"):
            raise ValueError("production needs an https public_url")
        if self.production and not may_vouch(self.oidc_issuer):
            raise ValueError("production needs an https oidc_issuer that is not this machine")
        return self

    @property
    def oidc_back(self) -> str:
        """Address to which the identity provider sends the browser back."""
        return self.oidc_redirect or f"{self.public_url}/mine/back"

    @property
    def has_configured_address(self) -> bool:
        """Tell whether ``public_url`` was named, not made of host and port."""
        return "public_url" in self.model_fields_set

    def at_port(self, port: int) -> "Settings":
        """Give these settings on another port; an address that was made of the port follows it."""
        changed: dict[str, str | int] = {"port": port}
        if not self.has_configured_address:
            changed["public_url"] = _local_address(self.host, port)
        return self.model_copy(update=changed)

    @property
    def production(self) -> bool:
        """Tell whether demonstration parts must refuse to start."""
        return self.environment is Environment.PRODUCTION

    @property
    def demo(self) -> bool:
        """Tell whether every page carries the demonstration banner."""
        return self.environment is Environment.DEMO

    @property
    def database_url(self) -> str:
        """Address of the records for web and worker."""
        return self._address(self.database)

    @property
    def sequencer_database_url(self) -> str:
        """Address of the records for the sequencer."""
        return self._address(self.sequencer_database)

    @property
    def owner_database_url(self) -> str:
        """Address of the records for who owns the tables."""
        return self._address(self.owner_database)

    def _address(self, role: SecretStr | None) -> str:
        address = role or self.database
        return address.get_secret_value() if address else f"sqlite:///{self.data / 'cunzheng.db'}"

    @property
    def index_path(self) -> Path:
        """File of the embedded index."""
        return self.data / "index.db"

    @property
    def objects(self) -> Path:
        """Folder of the object store."""
        return self.data / "objects"

    @property
    def keys(self) -> Path:
        """Folder of the keys that encrypt personal data and sign the ledger."""
        return self.data / "keys"

    @property
    def pki(self) -> Path:
        """Folder of the demonstration certificates."""
        return self.data / "pki"

    @property
    def staging(self) -> Path:
        """Folder for bytes that are not durable holdings yet."""
        return self.data / "staging"

    @property
    def logs(self) -> Path:
        """Folder of the processes' logs."""
        return self.data / "logs"
