/** The version of this API: of its document, of its MCP server, of the package, and the newest one of CHANGELOG.md. */
export const VERSION = "0.2.0";
