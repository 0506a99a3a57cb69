// One bar per duty. Parts share the width by their count, yet none is narrower than its glyph.
export default function (component) {
  draw(component, (data) => {
    const table = element("div", "bars")
    table.setAttribute("role", "table")
    const head = element("div", "line head")
    head.setAttribute("role", "row")
    data.head.forEach((words, place) => head.append(element("span", ["name", "", "count", "why"][place], words)))
    table.append(head)
    for (const row of data.rows) {
      const line = element("div", "line")
      line.setAttribute("role", "row")
      const bar = element("div", "bar")
      for (const part of row.parts) {
        const button = field(part, "part")
        button.style.flexGrow = part.count
        bar.append(button)
      }
      const count = element("span", "count")
      count.append(field(row.total, "plainly"))
      line.append(element("span", "name", row.label), bar, count, element("span", "why", row.why))
      table.append(line)
    }
    return table
  })
}
