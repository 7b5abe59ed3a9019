# Loads a Homebrew formula without Homebrew: prints version, URL and sum for each system and processor, then the files
# that it installs.

class Formula
  Directory = Struct.new(:name) do
    def install(files)
      puts(files.is_a?(Hash) ? files.keys : files)
    end
  end

  class << self
    attr_reader :facts

    def use(system, processor)
      @system = system
      @processor = processor
      @facts = {}
    end

    def on_macos = (yield if Formula.runs_on?(:macos))
    def on_linux = (yield if Formula.runs_on?(:linux))
    def on_arm = (yield if Formula.runs_on?(:arm))
    def on_intel = (yield if Formula.runs_on?(:intel))
    def runs_on?(name) = [@system, @processor].include?(name)
    def test = nil

    %i[desc homepage version license url sha256].each do |name|
      define_method(name) do |value|
        raise "#{name} is set twice" if Formula.facts.key?(name)

        Formula.facts[name] = value
      end
    end
  end

  %i[bin man1 bash_completion fish_completion zsh_completion prefix].each do |name|
    define_method(name) { Directory.new(name) }
  end
end

%i[macos linux].product(%i[arm intel]).each do |system, processor|
  Formula.use(system, processor)
  load ARGV.fetch(0)
  puts "#{system} #{processor} #{Formula.facts.fetch_values(:version, :url, :sha256).join(' ')}"
end
AwsConfigResourceCount.new.install
