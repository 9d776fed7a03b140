// swift-tools-version: 6.2
// The map of Fieldfare: one commented sentence per target. Layers, lowest first: C shims, pure targets,
// cores with ports, adapters, executables. A target imports only lower layers; `scripts/layers.py` checks it.
import PackageDescription

let house: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .enableUpcomingFeature("InferIsolatedConformances"),
    .enableUpcomingFeature("ImmutableWeakCaptures"),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
]

/// `FIELDFARE_DEVICE_ONLY=1` leaves out all that the device does not need, and with it every external
/// package: what builds an agent for a device need not fetch a web server.
let deviceOnly = Context.environment["FIELDFARE_DEVICE_ONLY"] == "1"

func github(_ name: String, _ version: Version) -> Package.Dependency {
    .package(url: "https://github.com/" + name, exact: version)
}

/// What C and C++ are compiled with.
let strictC: [CSetting] = [.treatAllWarnings(as: .error)]
let strictCXX: [CXXSetting] = [.treatAllWarnings(as: .error)]

func library(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: house)
}

func program(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .executableTarget(name: name, dependencies: dependencies, swiftSettings: house)
}

func tests(
    _ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []
) -> Target {
    .testTarget(
        name: name, dependencies: dependencies + ["TestSupport"], exclude: exclude,
        swiftSettings: house)
}

// MARK: C shims

let shims: [Target] = [
    // libsodium: Ed25519, argon2id, secret boxes.
    .systemLibrary(
        name: "CSodium", pkgConfig: "libsodium", providers: [.apt(["libsodium-dev"])]),
    // libcrypto's EVP digests: SHA-256 with the CPU's own instructions.
    .systemLibrary(name: "CLibcrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
    // libcurl's easy interface.
    .systemLibrary(
        name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
    // Typed doors to libcurl's variadic functions, which Swift cannot call.
    .target(name: "CCurlShims", dependencies: ["CCurl"], cSettings: strictC),
    // SQLite by its C API, for the device.
    .systemLibrary(
        name: "CSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"])]),
    // System calls that the Glibc module does not show, or shows as variadic.
    .target(name: "CPosixShims", cSettings: strictC),
    // The sherpa-onnx C API as a table of functions, opened at run time.
    .target(
        name: "CSherpaOnnx",
        cSettings: strictC + [.headerSearchPath("../../.deps/sherpa-onnx/include")],
        cxxSettings: strictCXX,
        linkerSettings: [.linkedLibrary("dl")]),
    // The C header of the agent's library, and the last error of a thread.
    .target(name: "CFieldfare", cSettings: strictC),
]

// MARK: Pure targets: no I/O, no clock, no async

let pure: [Target] = [
    // Bytes, digests, moments, safe names and paths, strict JSON in and canonical JSON out.
    library("Primitives"),
    // Ed25519 by libsodium, SHA-256 by libcrypto, encrypted key files.
    library("Cryptography", ["CSodium", "CLibcrypto", "Primitives"]),
    // The metadata model of TUF, and the only code that may call a file trusted.
    library("TUF", ["Cryptography", "Primitives"]),
    // The manifest, chunk lists, model card and static checks of a bundle, as values.
    library("ModelBundle", ["Cryptography", "Primitives", "Speech"]),
    // WAV reading, word error rate, tokens, and the verdict of a smoke test.
    library("Speech", ["Primitives"]),
    // Policy, plan, `decide`, and the controller's transition function.
    library("Rollouts", ["Cryptography", "ModelBundle", "Primitives"]),
    // The report schema, the exponential histogram, and their merges.
    library("Telemetry", ["Primitives"]),
    // The gate, the local probation rule, blind spot and power.
    library("Health", ["Primitives", "Telemetry"]),
]

// MARK: The device side

let device: [Target] = [
    // The agent's state machine, its refresh order, and the ports it needs.
    library(
        "AgentCore",
        [
            "Cryptography", "Health", "ModelBundle", "Primitives", "Rollouts", "Speech", "TUF",
            "Telemetry",
        ]),
    // Durable writes, containment below a directory handle, locks.
    library("PosixFiles", ["CPosixShims", "Primitives"]),
    // HTTP by libcurl: TLS 1.2 or newer, limits, resume; the agent's fetches and the CLI's API calls.
    library("CurlTransport", ["CCurl", "CCurlShims", "PosixFiles"]),
    // Slots, leases, activation, the smoke child process, systemd readiness, the local socket.
    library(
        "SlotHost",
        [
            "AgentCore", "CPosixShims", "Cryptography", "ModelBundle", "PosixFiles", "Primitives",
            "Rollouts", "Speech",
        ]
    ),
    // The agent's journal and report queue on SQLite's C API.
    library("AgentJournal", ["AgentCore", "CSQLite", "PosixFiles", "Primitives"]),
    // The sherpa-onnx recogniser, opened at run time.
    library("SpeechRuntime", ["CSherpaOnnx", "Primitives", "Speech"]),
    // The public face of the agent, and its synchronous loop.
    library(
        "FieldfareAgent",
        [
            "AgentCore", "AgentJournal", "CPosixShims", "Cryptography", "CurlTransport", "Health",
            "ModelBundle", "PosixFiles", "Primitives", "Rollouts", "SlotHost", "Speech", "TUF",
            "Telemetry",
        ]),
    // What the C header promises, by the public face.
    library("FieldfareC", ["CFieldfare", "FieldfareAgent"]),
    // The agent as a daemon.
    program("fieldfare-agent", ["FieldfareAgent", "PosixFiles", "Primitives", "SlotHost"]),
    // One smoke test in one process: decodes the packaged utterances, prints one JSON line.
    program("fieldfare-smoke", ["Speech", "SpeechRuntime"]),
    // The TUF client, with the agent's store, behind the command line of the public conformance suite; for tests,
    // and not installed.
    program(
        "tuf-conformance", ["CurlTransport", "FieldfareAgent", "PosixFiles", "Primitives", "TUF"]),
    // What a refresh costs a device in processor time and bytes; for `make bench`, and not installed.
    .executableTarget(
        name: "refresh-benchmark",
        dependencies: ["Cryptography", "PosixFiles", "Primitives", "TUF"],
        path: "Benchmarks/Refresh", exclude: ["python_tuf.py"], swiftSettings: house),
    // What a switch between slots costs with all its syncs; for `make bench`, and not installed.
    .executableTarget(
        name: "switch-benchmark",
        dependencies: ["AgentCore", "PosixFiles", "Primitives", "SlotHost"],
        path: "Benchmarks/Switch", swiftSettings: house),
]

// MARK: Tests of the pure targets and the device side

let deviceTests: [Target] = [
    // Simulators, memory stores, seeded generators and port suites for the tests; no program reaches it.
    .target(
        name: "TestSupport",
        dependencies: [
            "AgentCore", "Cryptography", "ModelBundle", "Primitives", "Rollouts", "Speech", "TUF",
            "Telemetry",
        ],
        path: "Tests/TestSupport", swiftSettings: house),
    // A VFS over SQLite's own, whose changes of the disk can be seen, failed and forgotten.
    .target(
        name: "CObservedVFS", dependencies: ["CSQLite"], path: "Tests/CObservedVFS",
        cSettings: strictC),
    // SQLite under the same observer as the file calls of the device.
    .target(
        name: "EffectTestSupport", dependencies: ["CObservedVFS", "PosixFiles"],
        path: "Tests/EffectTestSupport", swiftSettings: house),
    // What Swift's Glibc hides: a fork, and the end of a process by SIGKILL.
    .target(name: "CCrashShims", path: "Tests/CCrashShims", cSettings: strictC),
    // A device on real disk parts through a whole story: killed, cut off and failed at every change of its disk, and
    // looked at by somebody who knows nothing of slots.
    .target(
        name: "CrashSupport",
        dependencies: [
            "AgentCore", "AgentJournal", "CCrashShims", "Cryptography", "EffectTestSupport",
            "FieldfareAgent", "ModelBundle", "PosixFiles", "Primitives", "Rollouts", "SlotHost",
            "Speech", "TUF", "Telemetry", "TestSupport",
        ],
        path: "Tests/CrashSupport", swiftSettings: house),
    // What `make test-crash` runs: one thread, so that it may fork.
    .executableTarget(
        name: "crash-agent", dependencies: ["CrashSupport"], path: "Tests/CrashAgent",
        swiftSettings: house),
    // Readers that lease in a loop, by the agent and without one, while the slots under them are swapped.
    .executableTarget(
        name: "model-consumer",
        dependencies: [
            "AgentCore", "Cryptography", "FieldfareAgent", "ModelBundle", "PosixFiles",
            "Primitives",
            "SlotHost", "TestSupport",
        ],
        path: "Tests/ModelConsumer", swiftSettings: house),
    // Strict JSON, names, paths, moments and versions: what is read, and what is refused.
    tests("PrimitivesTests", ["Primitives"]),
    // Published vectors of Ed25519 and SHA-256, weak keys, and key files with and without a passphrase.
    tests("CryptographyTests", ["CSodium", "Cryptography", "Primitives"]),
    // Each step of verification and each refusal, the refresh over simulated repositories, and what a kill leaves.
    tests("TUFTests", ["Cryptography", "Primitives", "TUF"]),
    // Repositories that python-tuf made are read, and ours by python-tuf; and the conformance suite.
    // The part against the running registry needs the server side's programs.
    tests(
        "InteropTests",
        ["Cryptography", "Primitives", "TUF"] + (deviceOnly ? [] : ["ProgramTestSupport"]),
        exclude: ["python"] + (deviceOnly ? ["RunningRegistryTests.swift"] : [])),
    // Bundles built twice give the same bytes; manifests and ONNX files, good, broken and hostile.
    tests("ModelBundleTests", ["Cryptography", "ModelBundle", "Primitives", "Speech"]),
    // WAV files, word error rates, token tables, and the verdict on what a smoke test printed.
    tests("SpeechTests", ["Primitives", "Speech"]),
    // The smoke program in a process of its own: with the real runtime and model, with fakes, with hostile bundles.
    tests("SpeechRuntimeTests", ["Primitives", "Speech", "SpeechRuntime"]),
    // What policies and plans may say, what `decide` decides on any fleet, and how the controller goes on.
    tests("RolloutsTests", ["ModelBundle", "Primitives", "Rollouts"]),
    // Reports, turns and histograms: read, written, merged, and byte for byte on the wire.
    tests("TelemetryTests", ["Cryptography", "Primitives", "Telemetry"]),
    // The gate's vectors and verdicts, probation on the device, and both on simulated fleets.
    tests("HealthTests", ["Health", "Primitives", "Telemetry"]),
    // Durable writes cut after any system call, containment against planted links, locks, copies.
    tests("PosixFilesTests", ["PosixFiles", "Primitives"]),
    // HTTP against servers of our own that stall, lie, cut off, or show the wrong certificate.
    tests("CurlTransportTests", ["CPosixShims", "CurlTransport", "PosixFiles", "Primitives"]),
    // Slots, leases and staging cut after any system call, the limited child, and the client of the local socket.
    tests(
        "SlotHostTests",
        [
            "AgentCore", "CPosixShims", "Cryptography", "ModelBundle", "PosixFiles", "Primitives",
            "Rollouts", "SlotHost", "Speech",
        ]),
    // The agent's transition table, and whole devices and fleets over memory ports.
    tests(
        "AgentCoreTests",
        [
            "AgentCore", "Cryptography", "Health", "ModelBundle", "Primitives", "Rollouts",
            "Speech",
            "TUF", "Telemetry",
        ]),
    // The journal on SQLite: as its port asks, on full or damaged disks, and with each of its calls failed or forgotten.
    tests(
        "AgentJournalTests",
        [
            "AgentCore", "AgentJournal", "EffectTestSupport", "PosixFiles", "Primitives",
            "Rollouts",
        ]),
    // Configuration, state directory, the local socket, and what the running agent says where something is wrong.
    tests(
        "FieldfareAgentTests",
        [
            "AgentCore", "AgentJournal", "CPosixShims", "Cryptography", "CurlTransport",
            "EffectTestSupport", "FieldfareAgent", "ModelBundle", "PosixFiles", "Primitives",
            "Rollouts", "SlotHost", "Speech", "TUF", "Telemetry",
        ]),
    // The C library from C, C++ and Python, with a running agent and without one.
    tests(
        "FieldfareCTests",
        ["AgentCore", "PosixFiles", "Primitives", "SlotHost", "Speech"],
        exclude: ["c"]),
    // Samples of the crash harness, the disk that it imagines, and its points by name.
    .testTarget(
        name: "CrashTests", dependencies: ["CrashSupport", "PosixFiles", "Speech", "TestSupport"],
        swiftSettings: house),
]

// MARK: The server side

let hummingbird = Target.Dependency.product(name: "Hummingbird", package: "hummingbird")
let arguments = Target.Dependency.product(
    name: "ArgumentParser", package: "swift-argument-parser")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")

let server: [Target] = [
    // Fleets that exist in memory only, through a rollout: what the gate makes of them.
    library("FleetSimulation", ["Health", "ModelBundle", "Primitives", "Rollouts", "Telemetry"]),
    // Use cases of the registry, the controller, and the ports they need.
    library(
        "RegistryCore",
        [
            "Cryptography", "FleetSimulation", "Health", "ModelBundle", "Primitives", "Rollouts",
            "Speech", "TUF", "Telemetry",
        ]),
    // Metadata, fleet and audit on SQLite by GRDB, with frozen migrations.
    library(
        "RegistryDatabase",
        [
            "Cryptography", "Primitives", "RegistryCore", "TUF", "Telemetry",
            .product(name: "GRDB", package: "GRDB.swift"),
        ]),
    // What one look of the gate costs; for `make bench`, and not installed.
    .executableTarget(
        name: "gate-benchmark", dependencies: ["FleetSimulation", "Health", "Primitives"],
        path: "Benchmarks/Gate", swiftSettings: house),
    // What a device downloads for a decision, and what the decision costs; for `make bench`, and not installed.
    .executableTarget(
        name: "plan-benchmark",
        dependencies: [
            "Cryptography", "FleetSimulation", "ModelBundle", "Primitives", "Rollouts", "TUF",
        ],
        path: "Benchmarks/Plan", swiftSettings: house),
    // How our programs speak to people and pipelines: failures with exit codes, JSON lines, tables, progress.
    library("Console", ["PosixFiles", "Primitives"]),
    // How people and pipelines call a registry: its address, their token, and its refusals as failures.
    library("RegistryAccess", ["Console", "CurlTransport", "Primitives", arguments]),
    // Blobs in a folder: immutable uploads, equal bytes accepted again.
    library("BlobFiles", ["Cryptography", "PosixFiles", "Primitives", "RegistryCore"]),
    // Routes, request and response types, problem details, pages.
    library(
        "HTTPAPI",
        [
            "CPosixShims", "Cryptography", "Primitives", "RegistryCore", "Rollouts", "TUF",
            "Telemetry", hummingbird, logging,
            .product(name: "HTTPTypes", package: "swift-http-types"),
            .product(name: "HummingbirdCore", package: "hummingbird"),
            .product(name: "HummingbirdTLS", package: "hummingbird"),
            .product(name: "NIOCore", package: "swift-nio"),
            .product(name: "NIOHTTP1", package: "swift-nio"),
            .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
            .product(name: "NIOHTTPTypesHTTP1", package: "swift-nio-extras"),
            .product(name: "NIOPosix", package: "swift-nio"),
            .product(name: "NIOSSL", package: "swift-nio-ssl"),
            .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            .product(name: "UnixSignals", package: "swift-service-lifecycle"),
        ]),
    // The registry as a daemon.
    program(
        "fieldfare-registry",
        [
            "BlobFiles", "CPosixShims", "Console", "Cryptography", "HTTPAPI", "PosixFiles",
            "Primitives",
            "RegistryCore", "RegistryDatabase", arguments, logging,
        ]),
    // The command line of release engineers.
    program(
        "fieldfare",
        [
            "AgentCore", "Console", "Cryptography", "CurlTransport", "FleetSimulation",
            "ModelBundle", "PosixFiles", "Primitives", "RegistryAccess", "RegistryCore", "Rollouts",
            "TUF", arguments,
            .product(name: "Yams", package: "Yams"),
        ]),
    // Fleets on one machine: voice applications for demonstrations, many devices over HTTPS, and fleets in memory only,
    // against the gate or against a registry's store and controller in this process.
    program(
        "fieldfare-fleet",
        [
            "AgentCore", "BlobFiles", "Console", "Cryptography", "CurlTransport", "FieldfareAgent",
            "FleetSimulation", "Health", "PosixFiles", "Primitives", "RegistryAccess",
            "RegistryCore", "RegistryDatabase", "Rollouts", "SlotHost", "Speech", "SpeechRuntime",
            "TUF",
            "Telemetry", arguments,
        ]),
    // A registry in memory, a store that dies at a commit, the suites of its ports, and a small repository.
    .target(
        name: "RegistryTestSupport",
        dependencies: [
            "Cryptography", "FleetSimulation", "ModelBundle", "Primitives", "RegistryCore",
            "Rollouts", "Speech", "TUF", "Telemetry", "TestSupport",
        ],
        path: "Tests/RegistryTestSupport", swiftSettings: house),
    // The generator's distributions, and a part of the gate's acceptance table.
    .testTarget(
        name: "FleetSimulationTests", dependencies: ["FleetSimulation", "Health", "Primitives"],
        swiftSettings: house),
    // Every use case of the registry in memory, its controller, and commits at which the store dies.
    tests(
        "RegistryCoreTests",
        [
            "Cryptography", "FleetSimulation", "Health", "ModelBundle", "Primitives",
            "RegistryCore", "RegistryTestSupport", "Rollouts", "TUF", "Telemetry",
        ]),
    // SQLite against memory, operation by operation, and the frozen schema.
    tests(
        "RegistryDatabaseTests",
        [
            "Cryptography", "FleetSimulation", "Primitives", "RegistryCore", "RegistryDatabase",
            "RegistryTestSupport", "Rollouts", "TUF", "Telemetry",
            .product(name: "GRDB", package: "GRDB.swift"),
        ]),
    // The blob store on a folder: as its port asks, and on full disks.
    tests(
        "BlobFilesTests",
        [
            "BlobFiles", "Cryptography", "PosixFiles", "Primitives", "RegistryCore",
            "RegistryTestSupport",
        ]),
    // Every route through the router without sockets: answers, problems, rights, pages.
    tests(
        "HTTPAPITests",
        [
            "BlobFiles", "Cryptography", "FleetSimulation", "HTTPAPI", "Health", "ModelBundle",
            "PosixFiles", "Primitives", "RegistryCore", "RegistryDatabase", "RegistryTestSupport",
            "Rollouts", "TUF",
            "Telemetry", hummingbird,
            .product(name: "HTTPTypes", package: "swift-http-types"),
            .product(name: "HummingbirdTesting", package: "hummingbird"),
            .product(name: "NIOCore", package: "swift-nio"),
            .product(name: "NIOEmbedded", package: "swift-nio"),
            .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
        ]),
    // The built programs as people run them: their outcomes, and a registry of a test's own over TLS.
    .target(
        name: "ProgramTestSupport", dependencies: ["TestSupport"],
        path: "Tests/ProgramTestSupport", swiftSettings: house),
    // Commands as people type them, with their exit codes, outputs and files, against a registry over TLS.
    tests(
        "CommandLineTests",
        [
            "Console", "Cryptography", "Primitives", "ProgramTestSupport", "RegistryCore",
            "RegistryDatabase", "RegistryTestSupport",
        ]),
    // Units, nginx, alerts, pipelines and runbooks: run as they are shipped.
    tests(
        "DeploymentTests",
        ["ProgramTestSupport", .product(name: "Yams", package: "Yams")], exclude: ["prometheus"]),
    // From a new repository to a device that runs the release, by the built programs alone; so without TestSupport.
    .testTarget(
        name: "EndToEndTests", dependencies: ["ProgramTestSupport"], swiftSettings: house),
]

let package = Package(
    name: "fieldfare",
    products: [
        .library(name: "FieldfareAgent", targets: ["FieldfareAgent"]),
        .library(name: "fieldfare-c", type: .dynamic, targets: ["FieldfareC"]),
        .executable(name: "fieldfare-agent", targets: ["fieldfare-agent"]),
        .executable(name: "fieldfare-smoke", targets: ["fieldfare-smoke"]),
    ]
        + (deviceOnly
            ? []
            : [
                .executable(name: "fieldfare", targets: ["fieldfare"]),
                .executable(name: "fieldfare-registry", targets: ["fieldfare-registry"]),
                .executable(name: "fieldfare-fleet", targets: ["fieldfare-fleet"]),
            ]),
    dependencies: deviceOnly
        ? []
        : [
            github("groue/GRDB.swift", "7.10.0"),
            github("hummingbird-project/hummingbird", "2.28.1"),
            github("apple/swift-nio", "2.101.2"),
            github("apple/swift-nio-extras", "1.35.2"),
            github("apple/swift-argument-parser", "1.8.2"),
            github("apple/swift-log", "1.16.2"),
            github("apple/swift-http-types", "1.8.0"),
            github("apple/swift-nio-ssl", "2.37.6"),
            github("swift-server/swift-service-lifecycle", "2.13.0"),
            github("jpsim/Yams", "6.2.2"),
        ],
    targets: shims + pure + device + deviceTests + (deviceOnly ? [] : server),
    swiftLanguageModes: [.v6]
)
