// The web pages for listeners. The article used an App Service; here they run beside Dagster, in the same network and from
// the same image.
param location string
param environmentId string
param environmentDomain string
param registryServer string
param imageTag string
param settings object
param sqlServer string
param sqlDatabase string
param vaultUrl string
param pages object
param signInClientId string

@description('header: the platform signs listeners in. password: the pages ask for one. off: everybody sees them.')
param login string

@description('Further names of the pages, separated by commas.')
param hosts string

@description('Addresses and networks, separated by commas, from which requests of the ingress and of the sign-in come.')
param proxies string

@description('1, or 0 to stop the pages while nobody uses them. The next listener then waits until they have started.')
param minReplicas int

var port = 8000
var signsIn = login == 'header'

// Where the platform asks for no sign-in. A shared answer is shown to everybody who has its link. Programs, players and
// Prometheus bring a key. A monitor may ask whether the process lives; it may not ask /readyz, which resumes the database.
// The pages believe no name of a user on these paths, because whoever sends a request there could write it.
var pathsWithoutSignIn = [
  '/shared/*'
  '/static/*'
  '/language/*'
  '/api/*'
  '/rest/*'
  '/metrics'
  '/healthz'
]

resource web 'Microsoft.App/containerApps@2024-03-01' = {
  name: 'web'
  location: location
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${pages.id}': {}
    }
  }
  properties: {
    environmentId: environmentId
    configuration: {
      activeRevisionsMode: 'Single'
      registries: [
        {
          server: registryServer
          identity: pages.id
        }
      ]
      ingress: {
        external: true
        transport: 'auto'
        targetPort: port
        allowInsecure: false
      }
      secrets: signsIn ? [
        {
          name: 'sign-in'
          keyVaultUrl: '${vaultUrl}secrets/dagster-ui-client-secret'
          identity: pages.id
        }
      ] : []
    }
    template: {
      terminationGracePeriodSeconds: 30
      containers: [
        {
          name: 'web'
          image: '${registryServer}/mfcc:${imageTag}'
          command: [
            'mfcc'
            'web'
            '--host'
            '0.0.0.0'
            '--port'
            '${port}'
          ]
          env: concat(map(items(settings), setting => {
            name: setting.key
            value: setting.value
          }), [
            {
              name: 'MFCC_DATABASE_URL'
              value: 'mssql+mssqlpython://${pages.clientId}@${sqlServer}/${sqlDatabase}?authentication=ActiveDirectoryMSI'
            }
            {
              // A replica with one core has 4 GiB of disk.
              name: 'MFCC_CACHE_GIGABYTES'
              value: '2'
            }
            {
              name: 'MFCC_WEB_FREE_GIGABYTES'
              value: '0.5'
            }
            {
              name: 'MFCC_WEB_TRUSTED_HOSTS'
              value: 'web.${environmentDomain},${hosts}'
            }
            {
              name: 'MFCC_WEB_PROXIES'
              value: proxies
            }
            {
              name: 'MFCC_WEB_LOGIN'
              value: login
            }
            {
              name: 'MFCC_WEB_PATHS_WITHOUT_LOGIN'
              value: join(pathsWithoutSignIn, ',')
            }
            {
              name: 'MFCC_DAGSTER_URL'
              value: 'https://webserver.${environmentDomain}'
            }
            {
              name: 'AZURE_CLIENT_ID'
              value: pages.clientId
            }
          ])
          resources: {
            cpu: json('1.0')
            memory: '2Gi'
          }
          // The pages answer only to names that they know, and a probe would ask for an address. Only the first probe reads
          // the stores: each reading resumes the database, which would then never pause, and pages that cannot read a store
          // say so better than the ingress does.
          probes: [
            {
              type: 'Startup'
              httpGet: {
                port: port
                path: '/readyz'
                httpHeaders: [
                  {
                    name: 'Host'
                    value: 'localhost'
                  }
                ]
              }
              periodSeconds: 15
              timeoutSeconds: 10
              failureThreshold: 10
            }
            {
              type: 'Readiness'
              httpGet: {
                port: port
                path: '/healthz'
                httpHeaders: [
                  {
                    name: 'Host'
                    value: 'localhost'
                  }
                ]
              }
              periodSeconds: 10
              timeoutSeconds: 5
            }
            {
              type: 'Liveness'
              httpGet: {
                port: port
                path: '/healthz'
                httpHeaders: [
                  {
                    name: 'Host'
                    value: 'localhost'
                  }
                ]
              }
              periodSeconds: 30
              timeoutSeconds: 10
            }
          ]
        }
      ]
      // There is at most one replica, because one process counts the uploads that it receives, the uploads of each sender
      // and the attempts to log in. Two would allow twice as many.
      scale: {
        minReplicas: minReplicas
        maxReplicas: 1
        rules: [
          {
            name: 'listeners'
            http: {
              metadata: {
                concurrentRequests: '100'
              }
            }
          }
        ]
      }
    }
  }
}

resource signIn 'Microsoft.App/containerApps/authConfigs@2024-03-01' = if (signsIn) {
  parent: web
  name: 'current'
  properties: {
    platform: {
      enabled: true
    }
    globalValidation: {
      unauthenticatedClientAction: 'RedirectToLoginPage'
      redirectToProvider: 'azureactivedirectory'
      excludedPaths: pathsWithoutSignIn
    }
    identityProviders: {
      azureActiveDirectory: {
        enabled: true
        registration: {
          clientId: signInClientId
          clientSecretSettingName: 'sign-in'
          openIdIssuer: '${environment().authentication.loginEndpoint}${tenant().tenantId}/v2.0'
        }
      }
    }
    httpSettings: {
      requireHttps: true
    }
  }
}
