/// A whole page: one document with its own style and script, and nothing from anywhere else.
struct DashboardPage {
    /// Lets this page's own style and script run, and no other: a new random word for each page.
    let nonce: String

    init(using random: inout some RandomNumberGenerator) {
        let word = (0..<2).map { _ in UInt64.random(in: .min ... .max, using: &random) }
        nonce = word.map { String($0, radix: 16) }.joined()
    }

    /// What a browser may do with the page: nothing that is not named here.
    var policy: String {
        "default-src 'none'; style-src 'nonce-\(nonce)'; script-src 'nonce-\(nonce)'; "
            + "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    }

    /// The dashboard; `isSignedIn` adds a way out.
    func dashboard(_ view: HTML, isSignedIn: Bool) -> HTML {
        let out: HTML =
            isSignedIn
            ? "<form method=\"post\" action=\"/session/end\"><button>Sign out</button></form>" : ""
        let head: HTML = """
            <noscript><meta http-equiv="refresh" content="10"></noscript>
            """
        return page(
            "Fieldfare", head,
            """
            <a class="skip" href="#live">Skip to the rollouts</a>
            <header><h1>Fieldfare</h1>
            <nav aria-label="Sections"><a href="#rollouts">Rollouts</a> <a href="#devices">Devices</a> \
            <a href="#models">Models</a></nav>
            <p id="contact" role="status">This page is renewed every 2 seconds.</p>
            <p><a href="">Refresh</a></p>\(out)</header>
            <main id="live">\(view)</main>
            <footer><p class="dim">Registry \(RegistryVersion.text). Times are UTC.</p></footer>
            <script nonce="\(nonce)">\(Self.script)</script>
            """)
    }

    /// The form that asks for a token; `problem` says why the last one did not do.
    func signIn(_ problem: String? = nil) -> HTML {
        let alert: HTML = problem.map { "<p role=\"alert\" class=\"alert\">\($0)</p>" } ?? ""
        return page(
            "Fieldfare: sign in", "",
            """
            <main class="sign-in"><h1>Fieldfare</h1>
            <p>This page shows rollouts, devices and models to whoever has a token with scope <code>read</code>.</p>
            \(alert)<form method="post" action="/session">
            <label for="token">Token</label>
            <input id="token" name="token" type="password" autocomplete="current-password" required autofocus>
            <button>Sign in</button></form>
            <p class="dim">You stay signed in for 8 hours, or until the registry restarts.</p></main>
            """)
    }

    private func page(_ title: String, _ head: HTML, _ body: HTML) -> HTML {
        """
        <!DOCTYPE html>
        <html lang="en"><head><meta charset="utf-8"><title>\(title)</title>
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        \(head)<style nonce="\(nonce)">\(Self.style)</style></head>
        <body>\(body)</body></html>

        """
    }

    /// Fetches the renewed part every 2 seconds, unless nobody looks, or somebody is selecting text in it.
    private static let script: HTML = """

        "use strict";
        const live = document.getElementById("live");
        const contact = document.getElementById("contact");
        let shown = "", lost = false;
        function say(text, isLost) {
          lost = isLost;
          if (contact.textContent !== text) contact.textContent = text;
          contact.classList.toggle("lost", isLost);
        }
        function isBusy() {
          const chosen = document.getSelection();
          return document.hidden || (chosen && !chosen.isCollapsed && live.contains(chosen.anchorNode))
            || live.contains(document.activeElement);
        }
        async function renew() {
          if (isBusy()) return;
          const answer = await fetch("/live" + location.search, { cache: "no-store" });
          if (answer.status === 401 || answer.status === 403) return location.reload();
          if (!answer.ok) throw new Error(String(answer.status));
          const text = await answer.text();
          if (text !== shown) { live.innerHTML = text; shown = text; }
          say("This page is renewed every 2 seconds.", false);
        }
        async function loop() {
          try { await renew(); } catch {
            if (!lost) say("The registry does not answer since " + new Date().toISOString().slice(11, 19)
              + " UTC; what is shown is older.", true);
          }
          setTimeout(loop, 2000);
        }
        setTimeout(loop, 2000);

        """
}
