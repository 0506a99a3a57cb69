// Computers by kind of check. One tab stop; arrow keys move, Enter opens.
const place = (button) => {
  const cell = button.closest("td, th")
  return [cell.parentElement.rowIndex, cell.cellIndex]
}
const moves = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] }
const neighbour = (buttons, from, [down, right]) => {
  const [row, column] = place(from)
  const ahead = buttons.filter((button) => {
    const [r, c] = place(button)
    return down ? c === column && (r - row) * down > 0 : r === row && (c - column) * right > 0
  })
  return down + right > 0 ? ahead[0] : ahead[ahead.length - 1]
}
export default function (component) {
  draw(component, (data) => {
    const scroll = element("div", "scroll")
    const table = element("table", data.head.length > 9 ? "many" : "")
    const head = element("tr")
    for (const words of data.head) {
      const cell = element("th", "", words)
      cell.scope = "col"
      head.append(cell)
    }
    const thead = element("thead")
    thead.append(head)
    const body = element("tbody")
    for (const row of data.rows) {
      const line = element("tr")
      const name = element("th", "name")
      name.scope = "row"
      if (row.worst) {
        const sign = element("span", `worst ${row.worst.state}`, row.worst.glyph)
        sign.setAttribute("aria-hidden", "true")
        name.append(sign)
      }
      name.append(field(row.name, "plainly link"), element("span", "note", row.note))
      line.append(name)
      for (const cell of row.cells) {
        const box = element("td")
        if (cell.state) box.append(field(cell, "cell"))
        else box.append(element("span", "nothing", cell.text))
        line.append(box)
      }
      body.append(line)
    }
    table.append(thead, body)
    scroll.append(table)
    const legend = element("div", "legend")
    for (const entry of data.legend) {
      const item = element("span")
      const sign = element("i", entry.state, entry.glyph)
      sign.setAttribute("aria-hidden", "true")
      item.append(sign, element("span", "", entry.text))
      legend.append(item)
    }
    const buttons = [...table.querySelectorAll("button")]
    buttons.forEach((button, index) => (button.tabIndex = index ? -1 : 0))
    table.addEventListener("keydown", (event) => {
      const from = event.target.closest("button")
      const to = from && moves[event.key] && neighbour(buttons, from, moves[event.key])
      if (!to) return
      event.preventDefault()
      from.tabIndex = -1
      to.tabIndex = 0
      to.focus()
    })
    const all = element("div")
    all.append(scroll, legend)
    return all
  })
}
