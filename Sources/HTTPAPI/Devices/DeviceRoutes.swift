import Hummingbird
import Primitives
import RegistryCore

/// What devices send, each with its own signature: `POST /v1/devices` and `POST /v1/reports`.
struct DeviceRoutes: Sendable {
    let services: Services
    let metrics: RequestMetrics

    func add(to table: inout RouteTable) {
        table.add(
            Route(
                .post, "/v1/devices", "Enrols a device", .device,
                body: .json(limit: Enrolment.byteLimit),
                [.json("device", .created), .json("device")],
                problems: [.unauthorised, .refusedByTrust]), use: enrol)
        table.add(
            Route(
                .post, "/v1/reports", "Takes signed reports of one device", .device,
                body: .json(limit: Reports.byteLimit), [.json("reports")],
                problems: [.notFound]), use: reports)
    }

    @Sendable private func enrol(
        _ request: Request, context: APIContext
    ) async throws -> Response {
        let json = try await request.json(limit: Enrolment.byteLimit)
        let enrolment: Enrolment
        do {
            enrolment = try Enrolment(json)
        } catch {
            throw RegistryError.malformed(error)
        }
        let receipt = try await blocking {
            try services.devices.enrol(enrolment, at: services.now())
        }
        return Response(
            ["type": "device", "device": .string(receipt.device.description)],
            status: receipt.isNew ? .created : .ok)
    }

    @Sendable private func reports(
        _ request: Request, context: APIContext
    ) async throws -> Response {
        do {
            let json = try await request.json(limit: Reports.byteLimit)
            let receipt = try await blocking {
                try services.reports.take(json, at: services.now())
            }
            metrics.count(receipt)
            return Response(receipt.json)
        } catch let error as RegistryError {
            metrics.countRefusedBatch(error)
            throw error
        }
    }
}
