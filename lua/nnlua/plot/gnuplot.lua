-- Pictures through the gnuplot program.
--
-- The script, data included, goes into a temporary file; the command line holds nothing but that
-- file's name, so no text of the user's meets a shell. In the script, texts stand between single
-- quotes, where gnuplot knows no escapes. The picture is written beside its place and renamed.
--
-- Colours: blue and vermilion of Okabe and Ito's palette, told apart in every kind of colour
-- vision; validation is dashed and has another mark besides.

local err = require "nnlua.err"
local plot = require "nnlua.plot"
local sys = require("nnlua.core").sys

local gnuplot = {}

local STYLE = {
  train = "lc rgb '#0072B2' lw 2 dt solid pt 7",
  validation = "lc rgb '#D55E00' lw 2 dt (10,6) pt 5",
}

local TERMINAL = {
  png = "pngcairo noenhanced size %d,%d font 'Sans,11' background rgb 'white'",
  svg = "svg noenhanced size %d,%d font 'Sans,13' background rgb 'white'",
  pdf = "pdfcairo noenhanced size %.2fin,%.2fin font 'Sans,9' background rgb 'white'",
}

-- A text between single quotes; control characters have no place in a title.
local function quote(text)
  return "'" .. text:gsub("%c", " "):gsub("'", "''") .. "'"
end

local function terminal_line(path, width, height)
  local ending = path:match("%.(%a+)$")
  local line = ending and TERMINAL[ending:lower()]
  err.check(line, "history:plot: path is '%s', expected the ending .png, .svg or .pdf", path)
  if ending:lower() == "pdf" then width, height = width / 110, height / 110 end
  return "set terminal " .. line:format(width, height)
end

-- A path that gnuplot takes for a file: not for a pipe (|) nor for a home folder (~).
local function output_path(path)
  err.check(not path:find "%c", "history:plot: path holds a control character")
  if path:sub(1, 1) ~= "/" then path = "./" .. path end
  return path .. ".tmp"
end

local function data_block(name, s)
  local lines = {name .. " << EOD"}
  for i, x in ipairs(s.x) do
    local y = s.y[i]
    local finite = y == y and math.abs(y) < math.huge
    lines[#lines + 1] = ("%d %s"):format(x, finite and ("%.17g"):format(y) or "NaN")
  end
  lines[#lines + 1] = "EOD"
  return table.concat(lines, "\n")
end

-- gnuplot would complain of a range without an extent.
local function y_range(panel)
  local low, high = plot.range(panel, "y")
  if not low then return "set yrange [0:1]" end
  local margin = high > low and (high - low) * 0.05 or math.max(math.abs(high) * 0.1, 1e-6)
  return ("set yrange [%.17g:%.17g]"):format(low - margin, high + margin)
end

local function x_axis(panel)
  local first, last = plot.range(panel, "x")
  local ticks = plot.whole_ticks(first, last, 13)
  local margin = math.max((last - first) * 0.02, last > first and 0.1 or 0.5)
  return ("set xrange [%g:%g]\nset xtics (%s)"):format(first - margin, last + margin,
    table.concat(ticks, ","))
end

local function curves(panel, index)
  local first, last = plot.range(panel, "x")
  local with = last - first < 40 and "linespoints" or "lines"
  local parts = {}
  for i, s in ipairs(panel.series) do
    local points = with == "linespoints" and " ps 0.6" or ""
    parts[i] = ("$p%ds%d using 1:2 with %s %s%s title %s"):format(index, i, with,
      STYLE[s.role], points, quote(s.name))
  end
  return "plot " .. table.concat(parts, ", \\\n  ")
end

local function panel_script(panel, index)
  local lines = {}
  for i, s in ipairs(panel.series) do lines[i] = data_block(("$p%ds%d"):format(index, i), s) end
  lines[#lines + 1] = y_range(panel)
  lines[#lines + 1] = x_axis(panel)
  lines[#lines + 1] = "set ylabel " .. quote(panel.title)
  lines[#lines + 1] = curves(panel, index)
  return table.concat(lines, "\n")
end

local HEAD = [[
set encoding utf8
set border 3 lw 1 lc rgb '#444444'
set tics out nomirror textcolor rgb '#222222'
set grid ytics lt 1 lc rgb '#DDDDDD' lw 1
set xlabel 'epoch'
set key at graph 1, graph 1.01 right bottom horizontal noenhanced samplen 3
set format x '%g'
set format y '%g'
set lmargin 12
set rmargin 3
set tmargin 2.2]]

--- The script for a picture. Width and height are in pixels (SVG: points; PDF: 110 to the inch).
function gnuplot.script(panels, options)
  local width = options.width or 900
  local height = options.height or 40 + 310 * #panels
  local title = options.title and " title " .. quote(options.title) .. " font ',14'" or ""
  local lines = {
    terminal_line(options.path, width, height),
    "set output " .. quote(output_path(options.path)),
    HEAD,
    ("set multiplot layout %d,1%s"):format(#panels, title),
  }
  for i, panel in ipairs(panels) do lines[#lines + 1] = panel_script(panel, i) end
  lines[#lines + 1] = "unset multiplot\nunset output\n"
  return table.concat(lines, "\n")
end

-- Runs a program with one file's name as its argument; its words and whether it went well.
local function run(script)
  local name = os.tmpname()
  local file = assert(io.open(name, "wb"))
  file:write(script)
  file:close()
  local pipe = assert(io.popen("gnuplot " .. name .. " 2>&1", "r"))
  local words = pipe:read "a"
  local ok = pipe:close()
  os.remove(name)
  return ok, words
end

local function check_program()
  local pipe = io.popen("gnuplot --version 2>/dev/null", "r")
  local words = pipe and pipe:read "a" or ""
  if pipe then pipe:close() end
  if not words:find "^gnuplot" then
    err.raise("history:plot: pictures need the program gnuplot, which is not installed; on Debian "
      .. "and Ubuntu: apt install gnuplot-nox. Without a path the curves are drawn in the terminal")
  end
end

-- Raises where the file cannot be made, with the system's reason.
local function check_place(beside)
  local file, message = io.open(beside, "wb")
  if not file then
    err.raise("history:plot: cannot write %s", (message:gsub("%.tmp: ", ": ")))
  end
  file:close()
end

--- Draws panels into options.path. Raises where gnuplot is missing or cannot write.
function gnuplot.draw(panels, options)
  local script, beside = gnuplot.script(panels, options), output_path(options.path)
  check_program()
  check_place(beside)
  local ok, words = run(script)
  local moved, message = false, words:gsub("%s+", " ")
  if ok then moved, message = sys.rename(beside, options.path) end
  if not moved then
    os.remove(beside)
    err.raise("history:plot: cannot write '%s': %s", options.path, message)
  end
end

return gnuplot
