// Streamlit always says <html lang="en">; a screen reader would read Polish with English sounds.
export default function ({ data }) {
  document.documentElement.lang = data
}
