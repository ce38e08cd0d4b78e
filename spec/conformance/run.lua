-- make conformance [CASES=folder]: runs every case file of a folder (units/*.json,
-- training/*.json) and prints, per kind and name, what passed, failed and was skipped and why.
--
--   nnlua spec/conformance/run.lua FOLDER [pattern] [-v]

package.path = "./?.lua;" .. package.path
local json = require "spec.conformance.json"
local values = require "spec.conformance.values"
local files = require "spec.support.files"
values.null = json.null

local folder = arg[1] or "../shared/conformance"
local pattern, verbose = nil, false
for i = 2, #arg do
  if arg[i] == "-v" then verbose = true else pattern = arg[i] end
end

local function list(dir)
  local out = {}
  local names = require("nnlua.core").sys.listdir(dir) or {}
  table.sort(names)
  for _, name in ipairs(names) do
    if name:find "%.json$" then out[#out + 1] = dir .. "/" .. name end
  end
  return out
end

local totals = {passed = 0, failed = 0, skipped = 0}
local rows, row_of, failures, reasons = {}, {}, {}, {}

local function count(kind, name, result, text, id)
  local key = kind .. " " .. name
  local row = row_of[key]
  if not row then
    row = {kind = kind, name = name, passed = 0, failed = 0, skipped = 0}
    row_of[key] = row
    rows[#rows + 1] = row
  end
  row[result] = row[result] + 1
  totals[result] = totals[result] + 1
  if result == "failed" then failures[#failures + 1] = ("%s: %s"):format(id, text) end
  if result == "skipped" then
    row.reason = text
    reasons[text] = (reasons[text] or 0) + 1
  end
end

--- A runner gives nil (passed), a text (failed) or nil, reason (skipped).
local function run_case(runner, case, context, kind, name)
  local ok, failure, skip = xpcall(runner, verbose and debug.traceback or function(e)
    return tostring(e)
  end, case, context)
  if not ok then
    local text = verbose and failure or failure:match "^[^\n]*"
    return count(kind, name, "failed", "error: " .. text, case.id)
  end
  if skip then return count(kind, name, "skipped", skip, case.id) end
  if failure then return count(kind, name, "failed", failure, case.id) end
  count(kind, name, "passed")
end

local function runner_for(kind)
  local found, runner = pcall(require, "spec.conformance.kinds." .. kind)
  if found then return runner end
  if not tostring(runner):find "not found" then error(runner, 0) end
end

local function run_units(path)
  local text = files.text(path)
  local file = json.decode(text)
  if type(file) ~= "table" or not file.cases or not file.kind or file.topic then return end
  local runner = runner_for(file.kind)
  for _, case in ipairs(file.cases) do
    if not pattern or case.id:find(pattern) then
      if runner then
        run_case(runner, case, nil, file.kind, case.name)
      else
        count(file.kind, case.name, "skipped", "no runner for the kind " .. file.kind, case.id)
      end
    end
  end
end

local function run_training(dir)
  local text = files.text(dir .. "/data.json")
  if not text then return end
  local context = {data = json.decode(text), folder = dir}
  local runner = require "spec.conformance.training"
  for _, path in ipairs(list(dir)) do
    local file = json.decode(files.text(path))
    if type(file) == "table" and file.topic and file.cases then
      for _, case in ipairs(file.cases) do
        if not pattern or case.id:find(pattern) then
          run_case(runner, case, context, "training", file.topic)
        end
      end
    end
  end
end

for _, path in ipairs(list(folder)) do run_units(path) end
for _, path in ipairs(list(folder .. "/units")) do run_units(path) end
run_training(folder .. "/training")
local ok, saved_files = pcall(require, "spec.conformance.files")
if ok then saved_files(folder .. "/training", pattern, count) end

print(("%-12s %-40s %7s %7s %7s"):format("kind", "name", "passed", "failed", "skipped"))
for _, r in ipairs(rows) do
  print(("%-12s %-40s %7d %7d %7d  %s"):format(r.kind, r.name, r.passed, r.failed, r.skipped,
    r.reason and ("(" .. r.reason .. ")") or ""))
end
if #failures > 0 then
  print "\nfailed:"
  for _, text in ipairs(failures) do print("  " .. text) end
end
print(("\n%d passed, %d failed, %d skipped"):format(totals.passed, totals.failed, totals.skipped))
os.exit(totals.failed == 0 and 0 or 1, true)
