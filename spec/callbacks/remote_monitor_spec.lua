local callbacks = require "nnlua.callbacks"
local core = require "nnlua.core"
local json = require "spec.support.json"
local support = require "spec.callbacks.support"

describe("RemoteMonitor", function()
  local sent, answer, before

  before_each(function()
    before = package.loaded["socket.http"]
    sent, answer = {}, 1
    package.loaded["socket.http"] = {request = function(r)
      r.body = r.source()
      sent[#sent + 1] = r
      return answer
    end}
  end)

  after_each(function() package.loaded["socket.http"] = before end)

  if not core.json then return pending "skipped: no JSON writer yet" end

  it("posts the logs as a form or as JSON", function()
    support.fit(callbacks.RemoteMonitor {"http://host:1", headers = {["x-key"] = "k"}},
      {{loss = 0.5}})
    assert.equal("http://host:1/publish/epoch/end/", sent[1].url)
    assert.equal("k", sent[1].headers["x-key"])
    assert.equal(tostring(#sent[1].body), sent[1].headers["content-length"])
    local text = sent[1].body:match("^data=(.*)$"):gsub("%%(%x%x)", function(hex)
      return string.char(tonumber(hex, 16))
    end)
    assert.same({epoch = 1, loss = 0.5}, json.decode(text))
    support.fit(callbacks.RemoteMonitor {send_as_json = true}, {{loss = 0.25}})
    assert.same({epoch = 1, loss = 0.25}, json.decode(sent[2].body))
  end)

  it("warns where nobody listens", function()
    answer = nil
    local _, warned = support.capture(function()
      support.fit(callbacks.RemoteMonitor(), {{loss = 0.5}})
    end)
    assert.same({"Could not reach RemoteMonitor root server at http://localhost:9000"}, warned)
  end)
end)
