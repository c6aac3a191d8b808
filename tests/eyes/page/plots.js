// The plots on the page, for the checks.
export const plots = new Set();
