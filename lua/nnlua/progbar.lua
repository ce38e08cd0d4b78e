-- The progress bar of fit, evaluate and predict: keras.utils.Progbar, to the byte.
--
--   1/4 ━━━━━━━━━━━━━━━━━━━━ 0s 100ms/step - accuracy: 0.4688 - loss: 1.3879
--
-- On a terminal the line is repainted: as many backspaces as the last text was wide, a carriage
-- return, the new text, blanks over what sticks out. Elsewhere lines are plain and come rarely:
-- one at the end, before that one every PLAIN_INTERVAL seconds.

local class = require "nnlua.class"
local repr = require "nnlua.repr"
local sys = require("nnlua.core").sys
local terminal = require "nnlua.terminal"

local PLAIN_INTERVAL = 10 -- seconds between two lines in a log file

local BOLD, GREEN, WHITE, RESET = "\27[1m", "\27[32m", "\27[37m", "\27[0m"

---@class nn.utils.Progbar
local Progbar = class.new("Progbar", {
  args = [[target, width=20, verbose=1, interval=0.05, stateful_metrics=None,
    stateless_metrics=None, unit_name="step"]],
  -- clock: a function that gives seconds; writer: a function that takes text; style: terminal.style
  extra_args = {clock = true, writer = true, style = true},
})

local function set_of(list)
  local set = {}
  for _, name in ipairs(list or {}) do set[name] = true end
  return set
end

--- Counts to `target` (nil: unknown). `stateless_metrics` are averaged over the updates, all others
--- are shown as they come. `writer`, `clock` and `style` default to those of standard output.
function Progbar:init(a)
  self.target, self.width, self.verbose, self.interval = a.target, a.width, a.verbose, a.interval
  self.unit_name = a.unit_name
  self.stateless = set_of(a.stateless_metrics)
  self.clock = a.clock or sys.clock
  self.writer = a.writer or terminal.write
  self.style = a.style or (a.writer and terminal.KERAS) or terminal.style()
  if not self.style.live then self.interval = math.max(self.interval, PLAIN_INTERVAL) end
  self.order, self.values = {}, {}
  self.seen, self.painted = 0, 0
  self.start = self.clock()
  self.last_update = self.style.live and -math.huge or self.start
end

-- Seconds a step. The first step is left out once it is known: it pays for what happens only once.
local function step_duration(self, current, now)
  if current == 0 then return 0 end
  local duration
  if self.after_first and current > 1 then
    duration = (now - self.after_first) / (current - 1)
  else
    duration = (now - self.start) / current
  end
  if current == 1 then self.after_first = now end
  return duration
end

local function duration_text(seconds, unit)
  if seconds >= 1 or seconds == 0 then return (" %.0fs/%s"):format(seconds, unit) end
  if seconds >= 1e-3 then return (" %.0fms/%s"):format(seconds * 1e3, unit) end
  return (" %.0fus/%s"):format(seconds * 1e6, unit)
end

local function eta_text(seconds)
  local s = math.floor(seconds)
  if seconds > 3600 then
    return ("%d:%02d:%02d"):format(s // 3600, s % 3600 // 60, s % 60)
  elseif seconds > 60 then
    return ("%d:%02d"):format(s // 60, s % 60)
  end
  return ("%ds"):format(s)
end

local function remember(self, current, values)
  for _, pair in ipairs(values or {}) do
    local name, value = pair[1], pair[2]
    if not self.values[name] then
      self.order[#self.order + 1] = name
      self.values[name] = {0, 0}
    end
    local cell = self.values[name]
    if self.stateless[name] then
      local steps = math.max(current - self.seen, 1)
      cell[1], cell[2] = cell[1] + value * steps, cell[2] + steps
    else
      cell[1], cell[2] = value, 1
    end
  end
  self.seen = current
end

-- " - loss: 0.5000": small values in scientific notation.
local function values_text(self, magnitude)
  local parts = {}
  for i, name in ipairs(self.order) do
    local cell = self.values[name]
    local mean = cell[1] / math.max(1, cell[2])
    local format = magnitude(mean) > 1e-3 and "%.4f" or "%.4e"
    parts[i] = (" - %s: %s"):format(name, repr.fixed(format, mean))
  end
  return table.concat(parts)
end

local function count_text(self, current)
  if not self.target then return ("%7d/Unknown"):format(current) end
  local digits = #tostring(math.tointeger(self.target))
  return ("%" .. digits .. "d/%d"):format(current, self.target)
end

-- The pieces of a text know their width, because escapes and multi-byte characters have none.
local function styled(self, escape, text)
  return self.style.escapes and escape .. text .. RESET or text
end

-- "1/4 ━━━━━━━━━━" and its width; `cells` is the width of the bar itself.
local function bar_text(self, current, cells)
  local count = count_text(self, current)
  if not self.target then return count, #count end
  local done = self.target > 0 and math.floor(cells * (current / self.target)) or cells
  local full, rest = "━", "━"
  if not self.style.unicode then full, rest = "=", "." end
  if not self.style.escapes and self.style.unicode then rest = "─" end
  local bar = styled(self, BOLD, count) .. " "
  if done > 0 then bar = bar .. styled(self, GREEN, full:rep(done)) end
  return bar .. styled(self, WHITE, rest:rep(cells - done)), #count + 1 + math.max(done, cells)
end

-- As many whole values as fit into `room` characters.
local function cut_values(info, room)
  if #info <= room then return info end
  local cut = info:sub(1, room)
  if info:sub(room + 1, room + 3) == " - " then return cut end
  return cut:match("^(.*) %- ") or cut
end

-- A line that is repainted must not wrap: the bar shrinks first, then values are left out; the last
-- line of an epoch keeps all its values.
local function fit(self, current, time, info, finalize)
  local columns = self.style.columns
  local bar, width = bar_text(self, current, self.width)
  local excess = columns and width + 1 + #time + #info - (columns - 1) or 0
  if excess <= 0 then return bar, width, info end
  bar, width = bar_text(self, current, math.max(5, self.width - excess))
  if finalize then return bar, width, info end
  local room = math.max(0, columns - 1 - width - 1 - #time)
  return bar, width, cut_values(info, room)
end

local function paint(self, current, now, duration, finalize)
  local time
  if self.target and not finalize then
    time = eta_text(duration * (self.target - current))
  else
    time = ("%.0fs"):format(now - self.start)
  end
  local info = duration_text(duration, self.unit_name) .. values_text(self, math.abs)
  local bar, width
  bar, width, info = fit(self, current, time, info, finalize)
  local text = bar .. " " .. styled(self, BOLD, time) .. info
  if not self.style.live then return self.writer(text .. "\n") end
  local total = width + 1 + #time + (utf8.len(info) or #info)
  text = ("\b"):rep(self.painted) .. "\r" .. text .. (" "):rep(self.painted - total)
  self.painted = total
  self.writer(finalize and text .. "\n" or text)
end

local function one_line(self, current, now, duration)
  self.writer(("%s - %.0fs -%s%s\n"):format(count_text(self, current), now - self.start,
    duration_text(duration, self.unit_name), values_text(self, function(v) return v end)))
end

--- Shows that `current` steps are done. `values`: list of {name, number}. `finalize` ends the line;
--- nil: when the target is reached.
---@param current integer
---@param values {[1]: string, [2]: number}[]?
---@param finalize boolean?
function Progbar:update(current, values, finalize)
  if finalize == nil then finalize = self.target ~= nil and current >= self.target end
  remember(self, current, values)
  local now = self.clock()
  local duration = step_duration(self, current, now)
  if self.verbose == 1 then
    if now - self.last_update < self.interval and not finalize then return end
    paint(self, current, now, duration, finalize)
  elseif self.verbose == 2 and finalize then
    one_line(self, current, now, duration)
  end
  self.last_update = now
end

--- `n` more steps.
function Progbar:add(n, values) self:update(self.seen + n, values) end

return Progbar
