/// The queries over all devices, each of which must go by an index: the tests ask SQLite how it would run them.
package enum EvidenceQueries {
    /// Devices with facts about a candidate, those with the lowest ranks: model, candidate, channel, limit.
    package static let treated = """
        SELECT facts.*, device.attributes AS attributes, \(hearing) FROM facts
        JOIN following USING (device, model)
        JOIN device ON device.id = facts.device
        LEFT JOIN hearing ON hearing.device = facts.device
        WHERE facts.model = ? AND facts.candidate = ? AND following.channel = ?
            AND (exposed IS NOT NULL OR attempted IS NOT NULL)
        ORDER BY facts.rank LIMIT ?
        """

    /// The newest figures of devices that say of themselves that they are control in a window, those with the lowest
    /// ranks: model, channel, window, limit.
    ///
    /// The `+` keeps the inner search from the index of windows, by which it would go through all other control
    /// devices for each one.
    package static let control = """
        SELECT figures.*, device.attributes AS attributes, \(hearing) FROM figures
        JOIN device ON device.id = figures.device
        LEFT JOIN hearing ON hearing.device = figures.device
        WHERE model = ? AND channel = ? AND window = ? AND arm = 'control' AND NOT EXISTS (
            SELECT 1 FROM figures AS newer
            WHERE newer.device = figures.device AND +newer.model = figures.model
                AND newer.channel = figures.channel AND newer.window = figures.window
                AND newer.arm = 'control'
                AND (newer.epoch, newer.sequence) > (figures.epoch, figures.sequence))
        ORDER BY figures.rank LIMIT ?
        """

    /// Devices of each cohort that have sent a beacon: model, candidate, channel.
    package static let exposure = """
        SELECT region, device_class, COUNT(*) AS total FROM facts
        JOIN following USING (device, model)
        JOIN device ON device.id = facts.device
        WHERE facts.model = ? AND facts.candidate = ? AND following.channel = ?
            AND exposed IS NOT NULL
        GROUP BY region, device_class
        """

    /// The devices that follow a channel, in order: model, channel.
    package static let followers = """
        SELECT device.id AS id, attributes FROM following
        JOIN device ON device.id = following.device
        JOIN hearing ON hearing.device = following.device
        WHERE model = ? AND channel = ? ORDER BY following.device
        """

    /// Devices that have never reported, in order.
    package static let unheard = """
        SELECT id, attributes FROM device
        WHERE NOT EXISTS (SELECT 1 FROM following WHERE following.device = device.id)
        ORDER BY id
        """

    private static let hearing = """
        hearing.at AS heard, hearing.epoch AS heard_epoch, hearing.sequence AS heard_sequence
        """
}
