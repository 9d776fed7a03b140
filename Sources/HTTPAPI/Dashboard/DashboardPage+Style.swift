extension DashboardPage {
    /// Colours as variables, light and dark; cards instead of table rows on a narrow screen.
    static let style: HTML = """

        :root { --ground: #fbfaf7; --card: #ffffff; --ink: #20262b; --dim: #5c666e; --line: #dcdfe0; --link: #1f5f8b;
          --good: #1d6b3c; --wait: #7a5200; --bad: #a3232b; --range: #7fa8c4; --beyond: #f6dedd; }
        @media (prefers-color-scheme: dark) {
          :root { --ground: #14181b; --card: #1c2226; --ink: #e4e8ea; --dim: #a0abb2; --line: #343d43; --link: #8cc4ee;
            --good: #79cf98; --wait: #e3b85c; --bad: #f39a98; --range: #4f86ab; --beyond: #4a2528; } }
        * { box-sizing: border-box; }
        body { margin: 0 auto; max-width: 76rem; padding: 0 1rem 2rem; background: var(--ground); color: var(--ink);
          font: 1rem/1.5 system-ui, sans-serif; }
        header { display: flex; flex-wrap: wrap; align-items: baseline; gap: .25rem 1.25rem; padding: .75rem 0;
          border-bottom: 1px solid var(--line); }
        header p { margin: 0; } nav { display: flex; gap: 1rem; }
        #contact { flex: 1 1 14rem; color: var(--dim); font-size: .875rem; }
        #contact.lost, .alert { color: var(--bad); font-weight: 600; }
        a { color: var(--link); } a:focus-visible, button:focus-visible, input:focus-visible { outline: 3px solid var(--link);
          outline-offset: 2px; }
        .skip { position: absolute; left: -999rem; } .skip:focus { left: 1rem; top: .5rem; background: var(--card); }
        h1 { font-size: 1.375rem; margin: 0; } h2 { font-size: 1.25rem; margin: 2rem 0 .75rem; }
        h3 { font-size: 1.125rem; margin: 0 0 .5rem; } h4 { font-size: 1rem; margin: 1.5rem 0 .25rem; }
        h5 { font-size: .9375rem; margin: 1rem 0 .25rem; }
        p { margin: .25rem 0 .75rem; max-width: 64rem; }
        article { background: var(--card); border: 1px solid var(--line); border-radius: .5rem; padding: 1rem; margin-bottom: 1rem; }
        .dim, .empty, .when { color: var(--dim); } .dim { font-weight: 400; } .when { font-size: .875rem; }
        code { font: .875em/1.4 ui-monospace, monospace; }
        bdi { overflow-wrap: anywhere; }
        .badge { white-space: nowrap; font-size: .875rem; font-weight: 600; color: var(--dim); }
        .good { color: var(--good); } .wait { color: var(--wait); } .bad { color: var(--bad); }
        .warning { border-left: .25rem solid var(--wait); padding-left: .75rem; margin: .75rem 0; } .warning ul { margin: .25rem 0; }
        h3 .badge { margin-left: .5rem; }
        table { border-collapse: collapse; width: 100%; margin: .75rem 0; font-size: .9375rem; background: var(--card); }
        caption { text-align: left; font-weight: 600; padding: .375rem 0; }
        th, td { text-align: left; vertical-align: top; padding: .375rem .75rem .375rem 0; border-top: 1px solid var(--line); }
        thead th { border-top: 0; font-size: .8125rem; color: var(--dim); vertical-align: bottom; }
        tbody th { font-weight: 500; } th.number, td.number { text-align: right; padding-right: 2rem; font-variant-numeric: tabular-nums; }
        section > table { border: 1px solid var(--line); border-radius: .5rem; border-collapse: separate; border-spacing: 0;
          padding: .25rem 1rem .5rem; }
        .facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(13rem, 1fr)); gap: .75rem 1.5rem; margin: .75rem 0 1rem; }
        .facts dt { font-size: .8125rem; color: var(--dim); } .facts dd { margin: 0; }
        .inline { display: flex; flex-wrap: wrap; gap: 0 .75rem; list-style: none; margin: 0; padding: 0; }
        .timeline { padding-left: 1.25rem; margin: .5rem 0; } .timeline li { margin-bottom: .5rem; }
        .timeline time { color: var(--dim); font-size: .875rem; font-variant-numeric: tabular-nums; }
        .bar { display: block; width: 100%; min-width: 9rem; max-width: 20rem; height: 1.75rem; }
        .bar .beyond { fill: var(--beyond); } .bar .axis { stroke: var(--line); } .bar .even { stroke: var(--dim); }
        .bar .limit { stroke: var(--bad); stroke-width: 2; stroke-dasharray: 4 2; } .bar .range { fill: var(--range); }
        .bar .estimate { fill: var(--ink); }
        button, input { font: inherit; color: inherit; background: var(--card); border: 1px solid var(--dim); border-radius: .375rem;
          padding: .375rem .75rem; }
        .sign-in { max-width: 28rem; margin: 12vh auto 0; } .sign-in label { display: block; font-weight: 600; }
        .sign-in input { width: 100%; margin: .25rem 0 .75rem; }
        footer { margin-top: 2rem; font-size: .875rem; }
        @media (max-width: 44rem) {
          body { padding: 0 .75rem 1.5rem; } article { padding: .75rem; }
          table, tbody, tr, th, td, caption { display: block; } thead { position: absolute; left: -999rem; }
          tbody tr { border-top: 1px solid var(--line); padding: .5rem 0; }
          tbody th, tbody td, tbody td.number { border: 0; padding: .0625rem 0; text-align: left; display: grid;
            grid-template-columns: 8.5rem 1fr; gap: .5rem; }
          tbody th > *, tbody td > * { min-width: 0; }
          tbody th::before, tbody td::before { content: attr(data-label); color: var(--dim); font-size: .8125rem; font-weight: 400; }
          td:has(> div > .none) { display: none !important; }
          .compact tbody tr { display: grid; grid-template-columns: repeat(3, 1fr); gap: .25rem .75rem; }
          .compact tbody th, .compact tbody td, .compact tbody td.number { display: block; }
          .compact tbody th::before, .compact tbody td::before { display: block; }
          section > table { padding: .25rem .75rem .5rem; }
        }

        """
}
