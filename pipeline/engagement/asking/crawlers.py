"""Robots whose headers give them away by no word of agents.py, by name.

From the list crawler-user-agents 1.67.0 (github.com/monperrus/crawler-user-agents, MIT licence, copyright Martin
Monperrus and contributors): every pattern of it whose recorded headers our own rules take for a person, measured
in November 2026, tightened where it was a bare word. Left out are those that also meet people: one phone's build
number, Facebook's own in-app browser, editors and desktop programs built on Electron.
"""

from __future__ import annotations

NAMES = (
    r"^biglotron|\bwebmon |netresearchserver|\bfluffy\b|\bips-agent\b|^postrank/|findthatfile|^coccoc/|g00g1e\.net|metauri",
    r"^trove\b|xenu link sleuth|appinsights|\bhatena|siteimprove|dareboost|google favicon|datanyze|^valve/steam|^bw/",
    r"vercel-screenshot|cookiehub(?:scan|verify)|observepoint|air\.ai/scanning|\bnewsai/|collapsify|cypex\.ai/scanning",
    r"digicert dcv|^feeder /|hardenize|manus-user|newrelicsynthetics|\bnitro-|\bscope3/|silktide|^sitelock|thousandeyes",
    r"visionheight\.com/scan|cyotekwebcopy|download ninja|keydrop\.io|sindup/|sitesucker|sqwatcher|tsm-turingos|adbeat\.com",
    r"^asana/|brandwatch|brokenlinkcheck\.com|^rss-parser|capitaloneshopping|researchscan\.|criticalcss\.com|\bdlc/",
    r"exodusmovement|feeder\.co\b|foregenix|ghost inspector|\bhotjar\b|linktiger|marketgoo/|^metorik|miniature\.io/",
    r"modularconnector/|^mollie http|nbertaupete95|netshelter contentscan|\bnewsnow/|\bopenvas\b|^owler \(|playstore-google",
    r"printfriendly\.com|^blackbox exporter/|^ps_daily/|pwabuilderhttpagent|^readable/|^remove\.bg/|page-preview-tool",
    r"securityheaders|^solarwinds/|^sora pos/|\bsplash version/|\brigor\)|testlocally/|\bwjhro/|abuse\.xmco\.fr|\bylt chrome",
    r"watchtowr|geedoshopproductfinder",
)
