// What a script knows of the build it belongs to: cmd/bundle puts it in place of `__BUILD__`.

/**
 * Files for left-to-right and for right-to-left languages.
 * @typedef {{ltr: string[] | null, rtl: string[] | null}} Directions
 *
 * All paths are relative to the app's root.
 * @typedef {object} Build
 * @property {string} id
 * @property {string} wasm
 * @property {number} wasmBytes
 * @property {string} worker
 * @property {string} shim
 * @property {string} share worker that answers requests from outside
 * @property {string} shell
 * @property {string} apps the window around apps, and
 * @property {string} inner what runs beside them
 * @property {string} guest the page's script on the apps' origin
 * @property {string} appsOrigin where apps have an origin of their own (apps/origins.js), empty if nowhere
 * @property {string} css
 * @property {Record<string, string>} messages the shell's words by primary language subtags (say.js)
 * @property {string} home ready-made empty database
 * @property {number} homeBytes
 * @property {string[]} precache what the shell needs to start offline
 * @property {string[]} languages
 * @property {string[]} pages
 * @property {{all: Directions, page: Record<string, Directions>}} bundles
 * @property {{common: string, lang: Record<string, string>}} fonts
 */

export {};
