/** @param {number} bytes @returns {string} for people */
export const size = (bytes) => {
	const units = ["bytes", "kB", "MB", "GB", "TB"];
	const power = Math.min(units.length - 1, bytes > 0 ? Math.floor(Math.log10(bytes) / 3) : 0);
	return `${(bytes / 1000 ** power).toFixed(power > 1 ? 1 : 0)} ${units[power]}`;
};
