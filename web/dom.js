// Makes elements: just enough to keep the screens readable.

/**
 * @param {string} tag
 * @param {Record<string, any>} [properties] `class`, `role`, `aria-*` and the like become
 *     attributes, `on…` listeners, everything else properties
 * @param {...(Node | string)} children
 * @returns {any} any element, as the DOM's own makers would return it by name
 */
export function make(tag, properties = {}, ...children) {
	const element = document.createElement(tag);
	for (const [name, value] of Object.entries(properties)) {
		if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
		else if (name in element) /** @type {any} */ (element)[name] = value;
		else element.setAttribute(name, value);
	}
	element.append(...children);
	return element;
}

/** @param {string} id */
export const byId = (id) => /** @type {HTMLElement} */ (document.getElementById(id));
