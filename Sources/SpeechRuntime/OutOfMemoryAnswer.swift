import CSherpaOnnx
import Speech

/// Lets a process that runs out of memory inside the runtime say so, instead of only aborting.
package enum OutOfMemoryAnswer {
    /// From now on an uncaught exception about memory prints `SmokeResult.outOfMemory` and exits 0.
    ///
    /// Call it once; the line lives as long as the process, because the answer is given when no memory is left.
    package static func install(descriptor: Int32) {
        let line = SmokeResult.outOfMemory.line
        let kept = UnsafeMutablePointer<CChar>.allocate(capacity: line.count)
        for (index, byte) in line.enumerated() {
            unsafe kept[index] = CChar(bitPattern: byte)
        }
        unsafe csherpa_answer_out_of_memory(descriptor, kept, line.count)
    }
}
