-- history:plot{}: the curves of a run, one panel for each quantity, training beside validation.
--
-- With a path the picture is drawn by the gnuplot program (plot/gnuplot.lua), without one by
-- characters in the terminal (plot/text.lua). Both get the same panels:
-- {title=, series={{name=, role="train" or "validation", x=, y=}, ...}}.

local args = require "nnlua.args"
local err = require "nnlua.err"

local plot = {}

local signature = args.signature("history:plot",
  "path=None, width=None, height=None, metrics=None, title=None")

local function series(history, name, role)
  local values, epochs = history:series(name)
  if not values or type(values[1]) ~= "number" then return nil end
  return {name = name, role = role, x = epochs, y = values}
end

-- One panel a quantity, the loss first; the learning rate only when it is asked for.
local function default_metrics(history)
  local list, seen = {}, {learning_rate = true}
  local function add(name)
    if seen[name] then return end
    seen[name] = true
    list[#list + 1] = name
  end
  if history.history.loss or history.history.val_loss then add "loss" end
  for _, name in ipairs(history:names()) do add((name:gsub("^val_", ""))) end
  return list
end

local function check_names(history, metrics)
  if type(metrics) == "string" then metrics = {metrics} end
  err.check(type(metrics) == "table", "history:plot: metrics is %s, expected a list of names",
    err.show(metrics))
  for _, name in ipairs(metrics) do
    if not (history.history[name] or history.history["val_" .. name]) then
      err.raise("history:plot: no values are named '%s'%s", tostring(name),
        err.suggest(name, history:names()))
    end
  end
  return metrics
end

--- The panels of a history; `metrics`: names without "val_" (nil: all but the learning rate).
function plot.panels(history, metrics)
  metrics = metrics and check_names(history, metrics) or default_metrics(history)
  local panels = {}
  for _, name in ipairs(metrics) do
    local panel = {title = name, series = {}}
    panel.series[1] = series(history, name, "train")
    panel.series[#panel.series + 1] = series(history, "val_" .. name, "validation")
    if #panel.series > 0 then panels[#panels + 1] = panel end
  end
  return panels
end

local function check_size(name, value)
  if value ~= nil and (math.type(value) ~= "integer" or value < 1) then
    err.raise("history:plot: %s is %s, expected a whole number above 0", name, err.show(value))
  end
end

--- Draws a history; see History:plot.
function plot.history(history, options)
  local o = args.bind(signature, type(options) == "string" and {options} or options or {})
  check_size("width", o.width)
  check_size("height", o.height)
  local panels = plot.panels(history, o.metrics)
  err.check(#panels > 0, "history:plot: there are no epochs to draw")
  if o.path == nil then return require("nnlua.plot.text").show(panels, o) end
  err.check(type(o.path) == "string", "history:plot: path is %s, expected a string",
    err.show(o.path))
  require("nnlua.plot.gnuplot").draw(panels, o)
end

--- Marks for an axis from `first` to `last`: whole numbers, at most `most` of them.
function plot.whole_ticks(first, last, most)
  local step, power = 1, 1
  local function enough() return (last - first) // step + 1 <= most end
  while not enough() do
    for _, factor in ipairs {1, 2, 5} do
      step = factor * power
      if enough() then break end
    end
    power = power * 10
  end
  local ticks, at = {}, step == 1 and first or (first + step - 1) // step * step
  if at > first then ticks[1] = first end
  while at <= last do
    if at - (ticks[#ticks] or -math.huge) >= step / 2 then ticks[#ticks + 1] = at end
    at = at + step
  end
  return ticks
end

--- Least and greatest finite value of the panel's x or y; nil where there is none.
function plot.range(panel, axis)
  local low, high
  for _, s in ipairs(panel.series) do
    for _, v in ipairs(s[axis]) do
      if v == v and math.abs(v) < math.huge then
        low, high = math.min(low or v, v), math.max(high or v, v)
      end
    end
  end
  return low, high
end

return plot
