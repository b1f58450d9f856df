// Fewer or more topics: the tree of topics cut at as many groups as the slider says. The page holds the leaves and the
// order in which they join; nothing is computed anew. Without this script the tree is shown as it is.
(() => {
  const tree = document.querySelector(".tree[data-merges]");
  const slider = tree && tree.querySelector("input[type=range]");
  if (!slider) return;
  const merges = JSON.parse(tree.dataset.merges);
  const says = tree.querySelector("output");
  const themes = Number(slider.min), topics = Number(tree.dataset.topics);
  const number = new Intl.NumberFormat("en");
  const many = (count, word) => `${number.format(count)} ${word}${count === 1 ? "" : "s"}`;
  const labelled = (element) => element.querySelector(":scope > .name").textContent;

  // Leaves by number, each with its topic and its branch; sums are those that the server wrote.
  const leaves = new Map();
  for (const branch of tree.querySelectorAll(".branch")) {
    const groups = document.createElement("ul");
    groups.className = "groups";
    branch.querySelector(":scope > ul").after(groups);
    branch.querySelector(":scope > ul").hidden = true;
    for (const element of branch.querySelectorAll("[data-leaf]")) {
      const topic = element.closest("[data-topic-of-tree]");
      leaves.set(Number(element.dataset.leaf), { element, topic, groups });
    }
  }
  const ofTopic = new Map();
  for (const leaf of leaves.values()) ofTopic.set(leaf.topic, (ofTopic.get(leaf.topic) || 0) + 1);

  function cut(count) {
    // A leaf without a conversation in the window is not on the page; it joins others all the same.
    const parent = new Map(), onPage = new Map([...leaves.keys()].map((leaf) => [leaf, true]));
    const root = (leaf) => { while (parent.has(leaf)) leaf = parent.get(leaf); return leaf; };
    let groups = leaves.size;
    for (const [left, right] of merges) {
      const one = root(left), other = root(right);
      if (one === other) continue;
      const both = onPage.get(one) && onPage.get(other);
      if (both && groups <= count) break;
      if (both) groups -= 1;
      parent.set(other, one);
      onPage.set(one, onPage.get(one) || onPage.get(other));
    }
    const members = new Map();
    for (const [leaf, entry] of leaves) members.set(root(leaf), [...(members.get(root(leaf)) || []), entry]);
    return [...members.values()];
  }

  function shownAs(members) {
    const within = [...new Set(members.map((leaf) => leaf.topic))];
    const whole = within.length > 1 || members.length === ofTopic.get(within[0]);
    const parts = (whole ? within : members.map((leaf) => leaf.element))
      .sort((one, other) => other.dataset.asked - one.dataset.asked);
    const sum = (name) => parts.reduce((total, part) => total + Number(part.dataset[name]), 0);
    const all = parts.length > 1 && whole && parts.length === members[0].groups.previousElementSibling.children.length;
    return { parts, asked: sum("asked"), failed: sum("failed"), partOf: whole ? null : within[0], all };
  }

  function element(tag, className, text, more = {}) {
    return Object.assign(document.createElement(tag), { className, dir: "auto", textContent: text }, more);
  }

  // One topic or part by its name, several by the largest one's and what else is in the group; a whole theme is named above.
  function entry(group) {
    const item = document.createElement("li"), [first, ...others] = group.parts;
    const listed = (parts) => parts.slice(0, 4).map(labelled).join("; ") + (parts.length > 4 ? `; ${parts.length - 4} more` : "");
    if (group.all) {
      item.append(element("small", "", listed(group.parts)));
      return item;
    }
    const name = others.length ? `${labelled(first)} and ${others.length} more` : labelled(first);
    const link = !others.length && !group.partOf && first.querySelector(":scope > a");
    item.append(link ? element("a", "name", name, { href: link.getAttribute("href") }) : element("span", "name", name));
    const failed = group.asked ? ` · ${Math.round((100 * group.failed) / group.asked)}\u202f% failed` : "";
    item.append(element("small", "", many(group.asked, "conversation") + failed));
    if (others.length) item.append(element("small", "", `With: ${listed(others)}`));
    if (group.partOf) item.append(element("small", "", `Part of: ${labelled(group.partOf)}`));
    return item;
  }

  const words = (count) => {
    if (count === topics) return many(count, "topic");
    if (count === themes) return tree.dataset.themed ? many(count, "theme") : many(count, "group");
    return count < topics ? `${many(count, "group")} of topics` : many(count, "topic") + " and parts of topics";
  };

  function show() {
    const count = Number(slider.value);
    const rows = new Map();
    for (const members of cut(count)) {
      const list = members[0].groups;
      rows.set(list, [...(rows.get(list) || []), shownAs(members)]);
    }
    for (const [list, groups] of rows) list.replaceChildren(...groups.sort((one, other) => other.asked - one.asked).map(entry));
    says.textContent = words(count);
    slider.setAttribute("aria-valuetext", words(count));
    for (const button of tree.querySelectorAll("[data-many]")) button.setAttribute("aria-pressed", String(Number(button.dataset.many) === count));
  }

  tree.querySelector(".slide").hidden = false;
  slider.addEventListener("input", show);
  for (const button of tree.querySelectorAll("[data-many]")) {
    button.addEventListener("click", () => { slider.value = button.dataset.many; show(); });
  }
  show();
})();
