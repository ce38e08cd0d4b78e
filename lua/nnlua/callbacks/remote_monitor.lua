-- Sends the logs of each epoch to a web server. Needs LuaSocket, which loads when first used.

local Callback = require "nnlua.callbacks.callback"
local err = require "nnlua.err"
local logs_of = require "nnlua.logs"
local terminal = require "nnlua.terminal"

---@class nn.callbacks.RemoteMonitor: nn.callbacks.Callback
local RemoteMonitor = Callback:extend("RemoteMonitor", {
  args = [[root="http://localhost:9000", path="/publish/epoch/end/", field="data", headers=None,
    send_as_json=False]],
})

--- POSTs to root .. path: a form with one `field`, or with `send_as_json` the JSON text itself.
function RemoteMonitor:init(a)
  for key, value in pairs(a) do self[key] = value end
end

local function http()
  local ok, socket = pcall(require, "socket.http")
  if not ok then
    err.raise("RemoteMonitor: the Lua module LuaSocket is not installed; on Debian and Ubuntu: "
      .. "apt install lua-socket")
  end
  return socket
end

function RemoteMonitor:on_train_begin() http() end

local function urlencode(text)
  return (text:gsub("[^%w%-_.~]", function(c) return ("%%%02X"):format(c:byte()) end))
end

local function body(self, epoch, logs)
  local values = {epoch = epoch}
  for _, key in ipairs(logs_of.keys(logs)) do values[key] = logs[key] end
  local text = require("nnlua.core").json.encode(values)
  if self.send_as_json then return text, "application/json" end
  return self.field .. "=" .. urlencode(text), "application/x-www-form-urlencoded"
end

local function source(text)
  return function()
    local part = text
    text = nil
    return part
  end
end

function RemoteMonitor:on_epoch_end(epoch, logs)
  local text, kind = body(self, epoch, logs)
  local headers = {["content-type"] = kind, ["content-length"] = tostring(#text)}
  for name, value in pairs(self.headers or {}) do headers[name] = value end
  local ok = http().request {
    url = self.root .. self.path, method = "POST", headers = headers, source = source(text),
    sink = function() return 1 end,
  }
  if not ok then
    terminal.warn("Could not reach RemoteMonitor root server at " .. self.root)
  end
end

return RemoteMonitor
