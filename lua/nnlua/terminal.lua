-- Where the library prints, and what that place can show.
--
-- A style says: `live` (the line can be repainted), `escapes` (bold and colours), `unicode`
-- (box-drawing characters), `columns` (width, nil when there is none). NO_COLOR takes the escapes,
-- TERM=dumb the repainting too, and a locale that is not UTF-8 the characters.

local sys = require("nnlua.core").sys

local terminal = {}

--- How Keras itself prints, wherever it prints to.
terminal.KERAS = {live = true, escapes = true, unicode = true}

--- Prints a text as it is, at once.
function terminal.write(text)
  io.write(text)
  io.stdout:flush()
end

--- Prints a line.
function terminal.print(text) terminal.write(text .. "\n") end

--- Tells of something that looks wrong but does not end the run.
function terminal.warn(text)
  io.stdout:flush()
  io.stderr:write("warning: ", text, "\n")
end

local function setting(name)
  local value = os.getenv(name)
  return value ~= "" and value or nil
end

--- True where the locale's characters are UTF-8. No locale at all counts as UTF-8.
function terminal.unicode()
  local locale = setting "LC_ALL" or setting "LC_CTYPE" or setting "LANG"
  return not locale or locale:lower():find("utf%-?8") ~= nil
end

--- The width of the terminal; COLUMNS or 80 where output goes elsewhere.
function terminal.columns()
  return sys.isatty(1) and sys.columns() or math.tointeger(tonumber(setting "COLUMNS")) or 80
end

--- The style of standard output as it is now.
function terminal.style()
  local tty = sys.isatty(1)
  local live = tty and setting "TERM" ~= "dumb"
  return {
    live = live,
    escapes = live and not setting "NO_COLOR",
    unicode = terminal.unicode(),
    columns = tty and sys.columns() or nil,
  }
end

return terminal
