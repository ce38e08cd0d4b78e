local pyformat = require "nnlua.pyformat"

describe("pyformat", function()
  it("fills fields as Python does", function()
    local values = {epoch = 3, val_loss = 1.23456, big = 1234567.891, neg = -0.5, share = 0.256}
    local texts = {
      ["{epoch:02d}-{val_loss:.2f}"] = "03-1.23",
      ["{epoch}"] = "3", ["{val_loss}"] = "1.23456", ["{{x}}{epoch}"] = "{x}3",
      ["{epoch:>4}|{epoch:<4}|{epoch:^4}|{epoch:*>4}"] = "   3|3   | 3  |***3",
      ["{big:,.1f}"] = "1,234,567.9", ["{neg:06.2f}"] = "-00.50", ["{neg:+.1e}"] = "-5.0e-01",
      ["{epoch:+d}"] = "+3", ["{share:.1%}"] = "25.6%", ["{val_loss:.3}"] = "1.23",
      ["{epoch:.1f}"] = "3.0", ["{val_loss:g}"] = "1.23456",
    }
    for template, text in pairs(texts) do assert.equal(text, pyformat.fill(template, values)) end
  end)

  it("tells what it cannot fill", function()
    local text, message, name = pyformat.fill("{a}-{nope}", {a = 1})
    assert.is_nil(text)
    assert.equal("unknown", message)
    assert.equal("nope", name)
    assert.is_nil(pyformat.fill("{a:d}", {a = 1.5}))
    assert.is_nil(pyformat.fill("{a:zz}", {a = 1.5}))
    assert.same({"a", "b"}, pyformat.fields "{a:02d}{{c}}{b}")
  end)
end)
