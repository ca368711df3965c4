// SPDX-License-Identifier: Apache-2.0
import java.io.IOException;
import java.math.BigInteger;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.AlgorithmParameters;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.MessageDigest;
import java.security.PrivateKey;
import java.security.SecureRandom;
import java.security.Signature;
import java.security.spec.ECGenParameterSpec;
import java.security.spec.ECParameterSpec;
import java.security.spec.ECPoint;
import java.security.spec.ECPrivateKeySpec;
import java.security.spec.ECPublicKeySpec;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Ask which proofs of an open case are established, check the signed answer, redeem its promise.
 *
 * <pre>
 * java AskForProof.java ask ADDRESS SOURCE NUMBER ITEM PURPOSE   writes answer.jws and receipt.tlog-proof
 * java AskForProof.java check answer.jws jwks.json               offline, with the keys that were kept
 * </pre>
 *
 * Needs a JDK of 17.0.3 or later (older ones accept signatures of zeros) and nothing else. PROOF_CLIENT is the
 * client's id, PROOF_KEY_FILE the file of its private key (a JWK on P-256), PROOF_OPERATOR the account id of who
 * asks. Exit codes: 0 genuine, 1 not genuine, 2 not redeemed yet, 3 refused, 64 usage.
 */
public final class AskForProof {
    private static final HttpClient HTTP = HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(10)).build();
    private static final Path KEYS = Path.of("jwks.json");

    private static final class NotGenuine extends Exception {}

    private static final class Refused extends Exception {
        Refused(String code) {
            super(code);
        }
    }

    public static void main(String[] arguments) throws IOException, InterruptedException {
        System.exit(run(arguments));
    }

    private static int run(String[] arguments) throws IOException, InterruptedException {
        boolean check = arguments.length == 3 && arguments[0].equals("check");
        if (!check && !(arguments.length == 6 && arguments[0].equals("ask"))) {
            System.err.println("ask ADDRESS SOURCE NUMBER ITEM PURPOSE | check ANSWER KEYS");
            return 64;
        }
        try {
            Map<?, ?> answer = check
                    ? verify(Files.readString(Path.of(arguments[1])), Files.readString(Path.of(arguments[2])))
                    : ask(arguments);
            for (Object one : (List<?>) map(answer, "decision").get("requirements")) {
                Map<?, ?> requirement = (Map<?, ?>) one;
                System.out.println(requirement.get("result") + " " + requirement.get("id") + " " + requirement.get("zh"));
            }
            return check || redeem(arguments[1], map(answer, "promise")) ? 0 : 2;
        } catch (NotGenuine forged) {
            System.err.println("not genuine");
            return 1;
        } catch (Refused refused) {
            System.err.println("refused: " + refused.getMessage());
            return 3;
        }
    }

    /** Give what an answer says, if a key of the set signed exactly it. */
    private static Map<?, ?> verify(String jws, String jwks) throws NotGenuine {
        try {
            String[] parts = jws.strip().split("\\.", -1);
            Map<?, ?> header = (Map<?, ?>) new Json(decoded(parts[0])).read();
            // Which algorithm counts is for us to say, never for the answer.
            if (parts.length != 3 || !"ES256".equals(header.get("alg"))
                    || !"cunzheng-decision+json".equals(header.get("typ"))) {
                throw new NotGenuine();
            }
            Signature signature = Signature.getInstance("SHA256withECDSAinP1363Format");
            signature.initVerify(KeyFactory.getInstance("EC").generatePublic(key(jwks, header.get("kid"))));
            signature.update((parts[0] + "." + parts[1]).getBytes(StandardCharsets.US_ASCII));
            if (!signature.verify(Base64.getUrlDecoder().decode(parts[2]))) {
                throw new NotGenuine();
            }
            return (Map<?, ?>) new Json(decoded(parts[1])).read();
        } catch (GeneralSecurityException | RuntimeException malformed) {
            throw new NotGenuine();
        }
    }

    private static ECPublicKeySpec key(String jwks, Object kid) throws GeneralSecurityException, NotGenuine {
        AlgorithmParameters curve = AlgorithmParameters.getInstance("EC");
        curve.init(new ECGenParameterSpec("secp256r1"));
        for (Object one : (List<?>) ((Map<?, ?>) new Json(jwks).read()).get("keys")) {
            Map<?, ?> key = (Map<?, ?>) one;
            if (key.get("kid").equals(kid) && "P-256".equals(key.get("crv"))) {
                ECPoint point = new ECPoint(number(key.get("x")), number(key.get("y")));
                return new ECPublicKeySpec(point, curve.getParameterSpec(ECParameterSpec.class));
            }
        }
        throw new NotGenuine();
    }

    private static Map<?, ?> ask(String[] arguments) throws IOException, InterruptedException, NotGenuine, Refused {
        String address = arguments[1];
        if (Files.notExists(KEYS)) {
            Files.writeString(KEYS, send(HttpRequest.newBuilder(URI.create(address + "/.well-known/jwks.json"))));
        }
        String question = String.format("{\"case\":{\"source\":%s,\"number\":%s},\"item\":%s,\"purpose\":%s}",
                Json.quoted(arguments[2]), Json.quoted(arguments[3]), Json.quoted(arguments[4]), Json.quoted(arguments[5]));
        String place = address + "/api/v1/proofs";
        String jws;
        try {
            Signer signer = new Signer(Files.readString(Path.of(System.getenv("PROOF_KEY_FILE"))));
            jws = send(signer.signed(place, token(address, signer, arguments[5]), question)
                    .header("Accept", "application/jose"));
        } catch (GeneralSecurityException unusable) {
            throw new Refused("key-unusable");
        }
        Map<?, ?> answer = verify(jws, Files.readString(KEYS));
        Map<?, ?> decision = map(answer, "decision");
        // A genuine answer to another question is no answer to this one.
        if (!map(decision, "case").equals(Map.of("source", arguments[2], "number", arguments[3]))
                || !arguments[4].equals(map(decision, "item").get("code"))
                || !arguments[5].equals(decision.get("purpose"))) {
            throw new NotGenuine();
        }
        Files.writeString(Path.of("answer.jws"), jws);
        return answer;
    }

    /** Give a token for this person and purpose; it is good for ten minutes. */
    private static String token(String address, Signer signer, String purpose)
            throws IOException, InterruptedException, GeneralSecurityException, Refused {
        String place = address + "/oauth/token";
        String form = "grant_type=client_credentials&scope=ask"
                + "&client_assertion_type=" + urlEncoded("urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
                + "&client_assertion=" + signer.assertion(System.getenv("PROOF_CLIENT"), place)
                + "&operator=" + urlEncoded(System.getenv("PROOF_OPERATOR")) + "&purpose=" + urlEncoded(purpose);
        String answer = send(HttpRequest.newBuilder(URI.create(place))
                .header("Content-Type", "application/x-www-form-urlencoded")
                .POST(HttpRequest.BodyPublishers.ofString(form)));
        return (String) ((Map<?, ?>) new Json(answer).read()).get("access_token");
    }

    private static String urlEncoded(String plain) {
        return URLEncoder.encode(plain, StandardCharsets.UTF_8);
    }

    /** The client's private key; it signs and leaves this program in no form. */
    private static final class Signer {
        private final PrivateKey key;
        private final String kid;

        Signer(String jwk) throws GeneralSecurityException {
            Map<?, ?> stated = (Map<?, ?>) new Json(jwk).read();
            AlgorithmParameters curve = AlgorithmParameters.getInstance("EC");
            curve.init(new ECGenParameterSpec("secp256r1"));
            ECParameterSpec on = curve.getParameterSpec(ECParameterSpec.class);
            key = KeyFactory.getInstance("EC").generatePrivate(new ECPrivateKeySpec(number(stated.get("d")), on));
            // The thumbprint (RFC 7638): the key's id.
            kid = encoded(sha256(String.format("{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"%s\",\"y\":\"%s\"}",
                    stated.get("x"), stated.get("y"))));
        }

        private byte[] sign(String text) throws GeneralSecurityException {
            Signature signature = Signature.getInstance("SHA256withECDSAinP1363Format");
            signature.initSign(key);
            signature.update(text.getBytes(StandardCharsets.UTF_8));
            return signature.sign();
        }

        /** Give what proves the client (RFC 7523); it is good once, for a minute. */
        String assertion(String client, String audience) throws GeneralSecurityException {
            long now = Instant.now().getEpochSecond();
            String content = encoded(("{\"alg\":\"ES256\",\"kid\":\"" + kid + "\"}").getBytes(StandardCharsets.UTF_8))
                    + "." + encoded(String.format(
                            "{\"iss\":%1$s,\"sub\":%1$s,\"aud\":%2$s,\"iat\":%3$d,\"exp\":%4$d,\"jti\":\"%5$s\"}",
                            Json.quoted(client), Json.quoted(audience), now, now + 60, nonce())
                            .getBytes(StandardCharsets.UTF_8));
            return content + "." + encoded(sign(content));
        }

        /** Give a POST of JSON with digest and signature (RFC 9421). */
        HttpRequest.Builder signed(String address, String token, String body) throws GeneralSecurityException {
            String digest = "sha-256=:" + Base64.getEncoder().encodeToString(sha256(body)) + ":";
            String stated = String.format("(\"@method\" \"@target-uri\" \"content-digest\" \"content-type\" \"authorization\")"
                    + ";created=%d;keyid=\"%s\";alg=\"ecdsa-p256-sha256\";nonce=\"%s\";tag=\"cunzheng\"",
                    Instant.now().getEpochSecond(), kid, nonce());
            String base = "\"@method\": POST\n\"@target-uri\": " + address + "\n\"content-digest\": " + digest
                    + "\n\"content-type\": application/json\n\"authorization\": Bearer " + token
                    + "\n\"@signature-params\": " + stated;
            return HttpRequest.newBuilder(URI.create(address))
                    .header("Authorization", "Bearer " + token)
                    .header("Content-Type", "application/json")
                    .header("Content-Digest", digest)
                    .header("Signature-Input", "sig1=" + stated)
                    .header("Signature", "sig1=:" + Base64.getEncoder().encodeToString(sign(base)) + ":")
                    .POST(HttpRequest.BodyPublishers.ofString(body));
        }

        private static String nonce() {
            byte[] random = new byte[16];
            new SecureRandom().nextBytes(random);
            return encoded(random);
        }

        private static byte[] sha256(String text) throws GeneralSecurityException {
            return MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
        }

        private static String encoded(byte[] data) {
            return Base64.getUrlEncoder().withoutPadding().encodeToString(data);
        }
    }

    /** Fetch the receipt that the answer promises; it is there with the next published checkpoint. */
    private static boolean redeem(String address, Map<?, ?> promise) throws IOException, InterruptedException, Refused {
        URI receipt = URI.create(address + "/api/v1/ledger/receipts/" + promise.get("core_sha256"));
        while (Instant.now().isBefore(Instant.parse((String) promise.get("redeem_by")))) {
            try {
                Files.writeString(Path.of("receipt.tlog-proof"), send(HttpRequest.newBuilder(receipt)));
                return true;
            } catch (Refused refused) {
                if (!"receipt-not-ready".equals(refused.getMessage())) {
                    throw refused;
                }
                Thread.sleep(2000);
            }
        }
        return false;
    }

    private static String send(HttpRequest.Builder request) throws IOException, InterruptedException, Refused {
        HttpResponse<String> answer = HTTP.send(request.timeout(Duration.ofSeconds(30)).build(),
                HttpResponse.BodyHandlers.ofString(StandardCharsets.UTF_8));
        // 202: a genuine answer, and a department has still to say its word.
        if (answer.statusCode() != 200 && answer.statusCode() != 202) {
            throw new Refused(String.valueOf(((Map<?, ?>) new Json(answer.body()).read()).get("code")));
        }
        return answer.body();
    }

    private static String decoded(String part) {
        return new String(Base64.getUrlDecoder().decode(part), StandardCharsets.UTF_8);
    }

    private static BigInteger number(Object text) {
        return new BigInteger(1, Base64.getUrlDecoder().decode((String) text));
    }

    private static Map<?, ?> map(Map<?, ?> of, String name) {
        return (Map<?, ?>) of.get(name);
    }

    /** Reads JSON, which the standard library does not; anything else is an IllegalArgumentException. */
    private static final class Json {
        private final String text;
        private int at;

        Json(String text) {
            this.text = text;
        }

        static String quoted(String plain) {
            StringBuilder made = new StringBuilder("\"");
            for (char one : plain.toCharArray()) {
                made.append(one < ' ' || one == '"' || one == '\\' ? String.format("\\u%04x", (int) one) : one);
            }
            return made.append('"').toString();
        }

        Object read() {
            Object value = value();
            if (peek() != 0) {
                throw new IllegalArgumentException();
            }
            return value;
        }

        private Object value() {
            switch (peek()) {
                case '{':
                    return object();
                case '[':
                    return array();
                case '"':
                    return string();
                default:
                    return word();
            }
        }

        private Map<String, Object> object() {
            Map<String, Object> made = new LinkedHashMap<>();
            take('{');
            while (peek() != '}') {
                if (!made.isEmpty()) {
                    take(',');
                }
                peek();
                String name = string();
                take(':');
                if (made.containsKey(name)) {
                    throw new IllegalArgumentException();
                }
                made.put(name, value());
            }
            take('}');
            return made;
        }

        private List<Object> array() {
            List<Object> made = new ArrayList<>();
            take('[');
            while (peek() != ']') {
                if (!made.isEmpty()) {
                    take(',');
                }
                made.add(value());
            }
            take(']');
            return made;
        }

        private String string() {
            StringBuilder made = new StringBuilder();
            take('"');
            for (char one = next(); one != '"'; one = next()) {
                made.append(one == '\\' ? escaped(next()) : one);
            }
            return made.toString();
        }

        private char escaped(char kind) {
            if (kind == 'u') {
                at += 4;
                return (char) Integer.parseInt(text.substring(at - 4, at), 16);
            }
            int place = "\"\\/bfnrt".indexOf(kind);
            if (place < 0) {
                throw new IllegalArgumentException();
            }
            return "\"\\/\b\f\n\r\t".charAt(place);
        }

        /** Numbers stay text: none of what we need is one. */
        private Object word() {
            int from = at;
            while (at < text.length() && "+-.0123456789abcdefghijklmnopqrstuvwxyzE".indexOf(text.charAt(at)) >= 0) {
                at++;
            }
            String word = text.substring(from, at);
            if (word.isEmpty()) {
                throw new IllegalArgumentException();
            }
            return word.equals("null") ? null : word.equals("true") ? Boolean.TRUE : word.equals("false") ? Boolean.FALSE : word;
        }

        private char peek() {
            while (at < text.length() && " \t\r\n".indexOf(text.charAt(at)) >= 0) {
                at++;
            }
            return at < text.length() ? text.charAt(at) : 0;
        }

        private char next() {
            if (at >= text.length()) {
                throw new IllegalArgumentException();
            }
            return text.charAt(at++);
        }

        private void take(char wanted) {
            if (peek() != wanted) {
                throw new IllegalArgumentException();
            }
            at++;
        }
    }
}
