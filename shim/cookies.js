/**
 * Mirrors the server's visible cookies, which page scripts read: js-cookie reads the CSRF token.
 * @param {string[]} cookies as document.cookie takes them
 */
export function setCookies(cookies) {
	// biome-ignore lint/suspicious/noDocumentCookie: the readers are synchronous
	for (const cookie of cookies) document.cookie = cookie;
}
