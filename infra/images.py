"""The services' images: built and pushed by the stack, or built by CI; always used by digest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import pulumi
import pulumi_docker as docker

from infra.image_source import ImageSource, image_source
from infra.settings import Settings
from infra.workload import WorkloadName, enabled, is_service, picture_library, settings_of

CONTEXT = ".."
"""The repository's root, seen from infra/, where Pulumi runs the program.

Relative, so that it is the same on every machine: the provider keeps it in the state, and an
absolute path or a temporary folder would be a difference in every preview.
"""

PLATFORM = "linux/amd64"
"""Of every VM size in infra/vm_sizes.py, whatever the machine that builds."""


@dataclass(frozen=True)
class ServiceImagesArgs:
    """Arguments of :class:`ServiceImages`.

    Attributes:
        settings: the stack's.
        registry_login_server: what the images' names begin with; None keeps them on this machine.
    """

    settings: Settings
    registry_login_server: pulumi.Input[str] | None


class ServiceImages(pulumi.ComponentResource):
    """The image of every workload that the stack deploys.

    No registry credentials are in the program: `az acr login` (or CI's federated sign-in) puts a
    token of three hours where Docker looks for it, and the registry has no administrator account.
    Docker Hub knows no such tokens; its access token is a secret of the stack.

    Attributes:
        references: by workload, ``repository@sha256:…``; of images on this machine, their ids.
    """

    references: Mapping[WorkloadName, pulumi.Output[str]]

    def __init__(
        self, name: str, args: ServiceImagesArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("realtime-scoring:docker:ServiceImages", name, None, opts)
        if args.settings.images == "prebuilt":
            self.references = _prebuilt(args.settings)
        else:
            self.references = self._built(name, args)
        self.register_outputs({"references": dict(self.references)})

    def _built(self, name: str, args: ServiceImagesArgs) -> dict[WorkloadName, pulumi.Output[str]]:
        # Without credentials of its own: what a docker.Provider is given stays in the state in
        # plain text (pulumi-docker issue 643), what an Image is given can be a secret.
        provider = docker.Provider(f"{name}-docker", opts=pulumi.ResourceOptions(parent=self))
        opts = pulumi.ResourceOptions(parent=self, provider=provider)
        return {
            workload: _image(f"{name}-{workload}", workload, args, opts).repo_digest
            for workload in enabled(args.settings)
        }


def _image(
    name: str, workload: WorkloadName, args: ServiceImagesArgs, opts: pulumi.ResourceOptions
) -> docker.Image:
    settings = args.settings
    tagged = f"{repository(settings, workload)}:{pulumi.get_stack()}"
    server = args.registry_login_server
    return docker.Image(
        name,
        # Pods never see this name: a changed tag moves nothing that runs, a changed digest does.
        image_name=tagged if server is None else pulumi.Output.concat(server, "/", tagged),
        build=build_arguments(settings, workload),
        registry=None if server is None else _registry(settings),
        # A preview must need neither a Docker engine nor the right to push: on pull requests it
        # runs under an identity that may only read. CI builds the images beside it.
        build_on_preview=False,
        skip_push=server is None,
        opts=opts,
    )


def repository(settings: Settings, workload: WorkloadName) -> str:
    """Where in the registry the images of a workload are, whoever builds them."""
    return f"{settings.name}-{workload}"


@dataclass(frozen=True)
class BuildSpec:
    """What a workload's build is told, by the stack and by CI alike.

    Attributes:
        target: stage of the Dockerfile; None for its last.
        arguments: build arguments. They stay readable in the image, so none is ever a secret.
    """

    target: str | None
    arguments: Mapping[str, str]


def build_spec(settings: Settings, workload: WorkloadName) -> BuildSpec:
    """How the image of a workload is built."""
    arguments: dict[str, str] = {}
    if settings.base_image is not None:
        arguments["BASE_IMAGE"] = settings.base_image
    if is_service(workload) and settings.monitoring.traces is not None:
        arguments["TRACING"] = "true"
    if workload != "resnet":
        return BuildSpec(None, arguments)
    arguments["ARCHITECTURE"] = settings.resnet.architecture
    arguments["WEIGHTS"] = settings.resnet.weights
    return BuildSpec(picture_library(settings), arguments)


def stamped(spec: BuildSpec, source: ImageSource | None) -> BuildSpec:
    """The same build, of an image that says what it is made of; as it was where nobody knows."""
    if source is None:
        return spec
    return replace(spec, arguments={**spec.arguments, **source.arguments})


def build_arguments(settings: Settings, workload: WorkloadName) -> docker.DockerBuildArgs:
    """The same, for pulumi-docker."""
    spec = stamped(build_spec(settings, workload), image_source(workload))
    return docker.DockerBuildArgs(
        context=CONTEXT,
        # Of the program's folder too, not of the context.
        dockerfile=f"{CONTEXT}/services/{workload}/Dockerfile",
        platform=PLATFORM,
        args=dict(spec.arguments),
        target=spec.target,
        builder_version=docker.BuilderVersion.BUILDER_BUILD_KIT,
    )


def _registry(settings: Settings) -> docker.RegistryArgs | None:
    hub = settings.registry.docker_hub
    if settings.registry.kind != "docker_hub" or hub is None:
        return None
    return docker.RegistryArgs(
        server="docker.io",
        username=hub.username,
        password=pulumi.Output.secret(hub.token.get_secret_value()),
    )


def _prebuilt(settings: Settings) -> dict[WorkloadName, pulumi.Output[str]]:
    references: dict[WorkloadName, pulumi.Output[str]] = {}
    for workload in enabled(settings):
        image = settings_of(settings, workload).image
        if image is None:
            raise pulumi.RunError(f"{workload}.image is missing, and images are prebuilt")
        references[workload] = pulumi.Output.from_input(image)
    return references
