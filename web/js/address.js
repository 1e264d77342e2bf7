// The page's address in the tab.

/** Names the pack in the address, so that a reload opens it again; an empty one takes the name out. */
export function namePack(url) {
  const here = new URL(location.href);
  here.searchParams.delete("pack");
  if (url) here.searchParams.set("pack", url);
  history.replaceState(null, "", here);
}
