import Primitives

/// The bundle.yaml that `bundle init` writes; a test keeps it equal to manifests/bundle.yaml.
enum BundleTemplate {
    static func text(model: ModelName) -> String {
        """
        # What a person writes to publish one version of a model. `fieldfare bundle build` reads it, checks the files
        # that it names (they lie beside it), and makes the manifest; docs/formats/manifest.md says what each field means.
        # `fieldfare bundle check` only checks. Sizes may be written as 512 MiB, rates as 2.5%.

        schema: fieldfare.bundle/1
        model: \(model) # a-z, 0-9 and '-'; its release keys must exist in the repository
        version: 1.0.0 # SemVer without +build; published once, never changed
        task: asr
        locales: [en-US, en-GB] # of the utterances below, and of the rates in the model card

        # How the runtime is to load the model. The features must be those that the model was trained on, and the ONNX
        # file's metadata must say the same; the static check compares them.
        runtime:
          engine: sherpa-onnx
          min_version: 2.0.1 # the oldest runtime that you have tried
          family: nemo_ctc
          model: model.onnx
          tokens: tokens.txt
          features:
            sample_rate: 16000
            bins: 80
            normalize: per_feature # or NA
            subsampling: 2 # feature frames to one output frame

        # Every device transcribes these before it activates the bundle. Take utterances that the model gets right with
        # a margin: also quantised, also on another processor. WAV, 16-bit PCM, one channel, 16 kHz, 0.3 to 60 s.
        smoke:
          utterances:
            - { wav: utterances/take-1.wav, locale: en-US, transcript: switch on kitchen lamp close bedroom curtain halfway set timer two five minutes play track seven volume down }
            - { wav: utterances/take-2.wav, locale: en-US, transcript: call six zero three nine one open rear left window switch garage heater off next track raise kitchen curtain }
            - { wav: utterances/take-3.wav, locale: en-GB, transcript: pause music lower front right window set fan three previous camera switch on garage radio cancel timer }
          max_wer: 10% # over all utterances together
          max_cpu_ms_per_audio_s: # the least of five repeats; wall time is noise
            default: 50 # for device classes without a line of their own
            edge-a: 25
          timeout_ms: 10000 # of the whole test; 10000 if left out
          memory_limit: 512 MiB # of the test's process; 512 MiB if left out

        # What a device must have before it downloads a byte.
        requirements:
          arch: [x86_64, aarch64]
          min_memory: 128 MiB
          min_disk: 64 MiB # at least the bundle itself
          min_agent: 0.1.0

        # Schemas of what the application gives and gets, and of what it reports. Their digests go into the manifest.
        io_schema: io.schema.json
        telemetry_schema: telemetry.schema.json
        compatibility:
          mode: none # with the version it supersedes: backward, forward or none
          # supersedes: 0.9.0

        model_card: model-card.json # intended use, languages, licence, training data, measured WER, limits: as fixtures/asr/model-card.json
        # routing_policy: routing.json

        # Signed with the rest. A pipeline replaces these; deploy/ci shows how.
        provenance:
          source_commit: "0000000000000000000000000000000000000000"
          builder: by hand
          # pipeline_url: https://ci.example/runs/7
          # derived_from: 0.9.0

        # rollback_floor: 1.0.0 # the oldest version a device may go back to, once it has committed this one
        # files: [NOTICE] # files that no other field names
        # allow_operators: [Loop] # lets a model with loops pass the static check

        """
    }
}
