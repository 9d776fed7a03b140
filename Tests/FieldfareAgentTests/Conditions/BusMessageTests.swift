import Primitives
import Testing

@testable import FieldfareAgent

/// Messages as another implementation of the protocol writes them (jeepney 0.9).
struct BusMessageTests {
    static let question =
        "6c01020130000000020000009000000001016f001f0000002f6f72672f667265656465736b746f702f4e6574776f726b4d61"
        + "6e6167657200020173001f0000006f72672e667265656465736b746f702e444275732e50726f706572746965730003017300"
        + "030000004765740000000000060173001e0000006f72672e667265656465736b746f702e4e6574776f726b4d616e61676572"
        + "000008016700027373001e0000006f72672e667265656465736b746f702e4e6574776f726b4d616e61676572000007000000"
        + "4d65746572656400"
    private static let answerFields =
        "050175000200000006017300040000003a312e350000000007017300040000003a312e3700000000080167000176000001"
    static let number = "6c02000108000000290000002f000000" + answerFields + "75000001000000"
    static let yes = "6c02000108000000290000002f000000" + answerFields + "62000001000000"
    static let real =
        "6c02000110000000290000002f000000" + answerFields + "640000000000000000000000e05440"
    static let text = "6c0200010a000000290000002f000000" + answerFields + "730000010000007800"
    static let failure =
        "6c03000120000000030000005700000004017300290000006f72672e667265656465736b746f702e444275732e4572726f72"
        + "2e53657276696365556e6b6e6f776e00000000000000050175000200000006017300040000003a312e350000000008016700"
        + "017300001b000000546865206e616d65206973206e6f74206163746976617461626c6500"

    static func bytes(_ hex: String) -> [UInt8] {
        let digits = Array(hex.utf8).map { $0 < 0x40 ? $0 - 0x30 : $0 - 0x57 }
        return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
    }

    @Test func `a question is the bytes that another implementation sends`() {
        let manager = "org.freedesktop.NetworkManager"
        let call = BusMessage.call(
            "Get", of: "org.freedesktop.DBus.Properties", at: "/org/freedesktop/NetworkManager",
            on: manager, serial: 2, [manager, "Metered"])
        #expect(call == Self.bytes(Self.question))
        #expect(BusMessage.length(head: Array(call.prefix(16))) == call.count)
    }

    @Test(arguments: [
        (number, BusMessage.Reply.value(.number(1))), (yes, .value(.bool(true))),
        (real, .value(.real(83.5))), (text, .other), (failure, .failed),
    ])
    func `an answer is read`(hex: String, expected: BusMessage.Reply) {
        let message = Self.bytes(hex)
        #expect(BusMessage.length(head: Array(message.prefix(16))) == message.count)
        #expect(BusMessage.reply(in: message, to: 2) == expected)
        #expect(BusMessage.reply(in: message, to: 3) == nil, "another call's")
    }

    /// Every byte changed in four ways, and every length: an answer is understood or not, and nothing else happens.
    @Test(arguments: [number, yes, real, text, failure])
    func `damaged answers are no harm`(hex: String) {
        let whole = Self.bytes(hex)
        var understood = 0
        for place in whole.indices {
            #expect(BusMessage.reply(in: Array(whole[..<place]), to: 2) == nil)
            for change: UInt8 in [0x01, 0x7F, 0x80, 0xFF] {
                var message = whole
                message[place] ^= change
                understood += BusMessage.reply(in: message, to: 2) == nil ? 0 : 1
            }
        }
        #expect(understood < whole.count * 4)
    }

    @Test func `a message beyond the limit is none`() {
        var head = Self.bytes(Self.number).prefix(16).map { $0 }
        head[6] = 1
        #expect(BusMessage.length(head: head) == nil)
        head[6] = 0
        head[15] = 0xFF
        #expect(BusMessage.length(head: head) == nil)
        head[15] = 0
        head[0] = 0x42
        #expect(BusMessage.length(head: head) == nil, "big-endian")
    }
}
