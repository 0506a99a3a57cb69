// A line of fields that can be pressed; each carries glyph, words and count.
export default function (component) {
  draw(component, (data) => {
    const line = element("div", "badges")
    for (const badge of data.badges) line.append(field(badge, "badge"))
    return line
  })
}
