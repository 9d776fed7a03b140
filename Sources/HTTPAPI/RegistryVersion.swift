/// The version of the registry, as its pages, metrics and `--version` tell it.
package enum RegistryVersion {
    package static let text = "0.1.0"
}
