"""What every section of the settings has in common: frozen, nothing unknown, shared field types."""

from __future__ import annotations

from types import NoneType
from typing import Annotated, Any, cast, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    SecretStr,
    ValidationInfo,
    field_validator,
)

from infra.sections.forms import (
    ADDRESS,
    DIGEST_REFERENCE,
    GUID,
    HOST_NAME,
    LABEL,
    MAIL_ADDRESS,
    NETWORK,
    REGION,
    RESOURCE_ID,
    USER_PRINCIPAL_NAME,
    ZONE,
    Form,
    wrong,
)
from infra.sections.words import words_of
from infra.vm_sizes import VM_SIZES

ENCRYPTED_ONLY = "encrypted_only"
"""Key of the validation context under which secrets in plain are refused."""
HOW_TO_ENCRYPT = "an encrypted value, set with `pulumi config set --secret --path`"


class Section(BaseModel):
    """A part of the settings: immutable, and without room for misspelt keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @field_validator("*", mode="before")
    @classmethod
    def _is_no_lookalike(cls, value: Any, info: ValidationInfo) -> Any:
        """pydantic takes true for 1 and "on" for true; the one who wrote it meant something else."""
        if info.field_name is None:
            return value
        annotation = cls.model_fields[info.field_name].annotation
        kinds = set(get_args(annotation)) - {NoneType} or {annotation}
        if isinstance(value, bool) and kinds & {int, float}:
            raise wrong("is no number", words_of(cls.model_fields[info.field_name]))
        truth = isinstance(value, bool) or value in ("true", "false")
        if kinds == {bool} and not truth:
            raise wrong("is neither true nor false", "true or false")
        return value


def _vm_size(value: str) -> str:
    """B-series sizes throttle under load: AKS asks not to use them for nodes.

    Source: learn.microsoft.com/azure/aks/use-system-pools.
    """
    known = ", ".join(sorted(VM_SIZES))
    if value.lower().startswith("standard_b"):
        raise wrong("is a burstable size, which throttles under load", known)
    if value not in VM_SIZES:
        raise wrong("is not in infra/vm_sizes.py, which says what fits on a node", known)
    return value


def _not_in_plain(value: Any, info: ValidationInfo) -> Any:
    """A stack file is committed: a secret in it must be encrypted."""
    context = cast("dict[str, bool]", info.context or {})
    if context.get(ENCRYPTED_ONLY, False) and not isinstance(value, SecretStr | NoneType):
        raise wrong("stands in plain", HOW_TO_ENCRYPT)
    return value


def _text_of_number(value: Any) -> Any:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


Network = Annotated[str, AfterValidator(NETWORK)]
"""An IPv4 network in CIDR notation."""
Address = Annotated[str, AfterValidator(ADDRESS)]
"""An IPv4 address."""
Guid = Annotated[str, AfterValidator(GUID)]
"""An Entra object, tenant or subscription id."""
ResourceId = Annotated[str, AfterValidator(RESOURCE_ID)]
"""The id of an Azure resource that exists already."""
HostName = Annotated[str, AfterValidator(HOST_NAME)]
"""A DNS host name with at least two labels."""
DigestReference = Annotated[str, AfterValidator(DIGEST_REFERENCE)]
"""A container image by digest, never by tag."""
MailAddress = Annotated[str, AfterValidator(MAIL_ADDRESS)]
"""Where a person gets mail."""
UserPrincipalName = Annotated[str, AfterValidator(USER_PRINCIPAL_NAME)]
"""The name with which a person signs in to Entra."""
VmSize = Annotated[str, AfterValidator(Form("a VM size of infra/vm_sizes.py", _vm_size))]
"""An Azure VM size, by its full name."""
Label = Annotated[str, AfterValidator(LABEL)]
"""A short name in lower case, which leaves room in the names of resources."""
Zone = Annotated[str, BeforeValidator(_text_of_number), AfterValidator(ZONE)]
"""An availability zone of the region."""
Region = Annotated[str, AfterValidator(REGION)]
"""An Azure region."""
Secret = Annotated[SecretStr, BeforeValidator(_not_in_plain)]
"""A text that no file, log or state holds in plain."""
