// Stands before every component. Text only ever becomes a text node: no markup is built from data.
const element = (tag, className, content) => {
  const node = document.createElement(tag)
  if (className) node.className = className
  if (content !== undefined && content !== null) node.textContent = content
  return node
}
const field = (cell, className) => {
  const button = element("button", `${className || ""} ${cell.state || ""}`)
  if (cell.glyph) {
    const glyph = element("span", "glyph", cell.glyph)
    glyph.setAttribute("aria-hidden", "true")
    button.append(glyph)
  }
  button.append(element("span", "words", cell.text))
  button.title = cell.title
  button.setAttribute("aria-label", cell.title)
  button.dataset.opens = cell.id
  return button
}
// Streamlit leaves the focus on <body> when a drawer closes; it belongs back on the pressed field.
const focusAfterDrawer = (button) => {
  let wasOpen = false
  let waited = 0
  const timer = setInterval(() => {
    if (document.querySelector("[role=dialog]")) wasOpen = true
    else if (wasOpen || ++waited > 40) {
      clearInterval(timer)
      if (wasOpen) button.focus()
    }
  }, 200)
}
// Draws once per content: an untouched DOM keeps the focus and the scroll position.
const draw = ({ data, parentElement, setTriggerValue }, build) => {
  const signature = JSON.stringify(data)
  // The parent is a shadow root, in which `:scope` finds nothing.
  const old = [...parentElement.children].find((child) => child.classList.contains("drawn"))
  if (old && old.signature === signature) return
  const box = element("div", "drawn")
  box.signature = signature
  box.append(build(data))
  box.addEventListener("click", (event) => {
    const button = event.target.closest("button")
    if (!button) return
    setTriggerValue("open", button.dataset.opens)
    focusAfterDrawer(button)
  })
  if (old) old.replaceWith(box)
  else parentElement.append(box)
}
